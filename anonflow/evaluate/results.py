"""What an evaluation writes: `metrics.json`, and tables that any reader of Parquet opens. No boxes, no pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.evaluate.case import Case
from anonflow.evaluate.judge import Judgement
from anonflow.evaluate.slices import Slice
from anonflow.evaluate.sweep import Grid
from anonflow.storage import write_json, written_whole

_MOST_POINTS = 2000
"""Of a curve; more cannot be seen."""

ITEMS = pa.schema(
    [
        ("item_id", pa.string()),
        ("name", pa.string()),
        ("group", pa.string()),
        ("kind", pa.string()),
        ("label", pa.string()),
        ("frames", pa.int64()),
        ("duration_s", pa.float64()),
        ("object_frames", pa.int64()),
        ("found", pa.int64()),
        ("leaking_frames", pa.int64()),
        ("objects", pa.int64()),
        ("leaked_objects", pa.int64()),
        ("missed_objects", pa.int64()),
        ("covered", pa.float64()),
        ("leaking_s", pa.float64()),
        ("longest_s", pa.float64()),
        ("over_mask_frames", pa.float64()),
        ("tracks", pa.int64()),
        ("false_tracks", pa.int64()),
    ]
)
SLICES = pa.schema(
    [
        ("label", pa.string()),
        ("by", pa.string()),
        ("group", pa.string()),
        ("object_frames", pa.int64()),
        ("items", pa.int64()),
        *((name, pa.float64()) for name in ("recall", "recall_low", "recall_high")),
        *((name, pa.float64()) for name in ("leak_rate", "leak_rate_low", "leak_rate_high")),
    ]
)
CURVES = pa.schema(
    [
        ("label", pa.string()),
        *((name, pa.float64()) for name in ("score", "precision", "recall", "false", "missed")),
    ]
)
SWEEP = pa.schema(
    [
        ("label", pa.string()),
        ("threshold", pa.float64()),
        ("margin", pa.float64()),
        ("item_id", pa.string()),
        ("object_frames", pa.int64()),
        ("leaking_frames", pa.int64()),
    ]
)


@dataclass(frozen=True, eq=False)
class Results:
    """All that an evaluation found."""

    metrics: dict[str, Any]
    judgement: Judgement
    cases: Sequence[Case]
    grids: Sequence[Grid]

    def write(self, folder: Path, *, with_names: bool) -> list[Path]:
        """Write everything but the page; give the paths."""
        metrics = folder / "metrics.json"
        write_json(metrics, finite(self.metrics))
        tables = {
            "items": pa.Table.from_pylist(list(self._items(with_names)), ITEMS),
            "slices": pa.Table.from_pylist([_slice(s) for s in self.judgement.slices], SLICES),
            "curves": pa.concat_tables(
                [CURVES.empty_table(), *(_curve(*of) for of in self.judgement.curves.items())]
            ),
            "sweep": pa.concat_tables([SWEEP.empty_table(), *(self._grid(grid) for grid in self.grids)]),
        }
        paths = [metrics]
        for name, table in tables.items():
            path = folder / f"{name}.parquet"
            with written_whole(path) as partial:
                pq.write_table(table, partial)
            paths.append(path)
        return paths

    def _items(self, with_names: bool) -> Any:
        for label, counts in self.judgement.counts.items():
            found = self.judgement.detected[label].found if label in self.judgement.detected else None
            for position, (case, part) in enumerate(zip(self.cases, counts, strict=True)):
                e = part.exposure
                kept = asdict(e) | asdict(part)
                yield {
                    "item_id": case.item_id,
                    "name": case.item.path.name if with_names else None,
                    "group": case.item.group if with_names else None,
                    "kind": "video" if case.is_video else "picture",
                    "label": label,
                    "duration_s": case.duration_s,
                    "found": None if found is None else int((found[position] & ~case.ignored).sum()),
                    **{name: kept[name] for name in ITEMS.names if name in kept},
                }

    def _grid(self, grid: Grid) -> pa.Table:
        rows, columns, cases = (index.ravel() for index in np.indices(grid.leaking.shape))
        return pa.table(
            [
                pa.array([grid.label] * len(rows), pa.string()),
                grid.thresholds[rows],
                grid.margins[columns],
                pa.array([self.cases[n].item_id for n in cases.tolist()], pa.string()),
                grid.object_frames[cases].astype(np.int64),
                grid.leaking.ravel().astype(np.int64),
            ],
            SWEEP,
        )


def finite(value: Any) -> Any:
    """The value as JSON can hold it: no number is null, and not NaN."""
    if isinstance(value, Mapping):
        return {str(name): finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def thinned(n: int) -> Any:
    """At most so many of `n` rows that a plot can show, the first and the last among them."""
    return (
        np.unique(np.linspace(0, n - 1, min(n, _MOST_POINTS)).round().astype(np.int64))
        if n
        else np.zeros(0, np.int64)
    )


def _slice(of: Slice) -> dict[str, Any]:
    ends: dict[str, float | None] = {}
    for name, interval in (("recall", of.recall_interval), ("leak_rate", of.leak_interval)):
        low, high = interval or (None, None)
        ends |= {f"{name}_low": low, f"{name}_high": high}
    return {name: value for name, value in asdict(of).items() if name in SLICES.names} | ends


def _curve(label: str, curve: Any) -> pa.Table:
    rows = thinned(len(curve.scores))
    columns = (curve.scores, curve.precision, curve.recall, curve.false, curve.missed)
    return pa.table([pa.array([label] * len(rows), pa.string()), *(column[rows] for column in columns)], CURVES)
