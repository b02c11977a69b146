"""Methods against scenes: a table of what each leaks, per scene and in all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.evaluate.exposure import COVERED_SHARE, Exposure, exposure, pool
from anonflow.evaluate.truth import Scene
from anonflow.storage import write_bytes, written_whole
from anonflow.types import MaskPlan

Method = Callable[[Scene], MaskPlan]

POOLED = "all scenes"
COLUMNS = ("scene", "method", "leaking %", "objects leaked", "longest s", "flicker /min", "over-mask %")
_N_TEXT_COLUMNS = 2


@dataclass(frozen=True)
class Row:
    """What a method leaks of a scene; scene `POOLED`: of all of them together."""

    scene: str
    method: str
    exposure: Exposure

    def cells(self) -> tuple[str, ...]:
        """The values of `COLUMNS`, rounded for people."""
        e = self.exposure
        return (
            self.scene,
            self.method,
            f"{100 * e.leak_share:.2f}",
            f"{e.leaked_objects}/{e.objects} ({100 * e.leaked_object_share:.0f} %)",
            f"{e.longest_s:.2f}",
            f"{e.flicker_per_min:.1f}",
            f"{100 * e.over_mask_share:.2f}",
        )


@dataclass(frozen=True)
class Table:
    """All rows: scene by scene with its methods in their order, then all scenes together."""

    rows: tuple[Row, ...]

    def pooled(self) -> Table:
        """The rows of all scenes together."""
        return Table(tuple(row for row in self.rows if row.scene == POOLED))

    def text(self) -> str:
        """Aligned columns, for a terminal."""
        lines = [COLUMNS, *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
        return "\n".join(_aligned(line, widths).rstrip() for line in lines) + "\n"

    def markdown(self) -> str:
        """A table of GitHub Markdown."""
        rule = ["---" if column < _N_TEXT_COLUMNS else "---:" for column in range(len(COLUMNS))]
        cells = [[cell.replace("|", "\\|") for cell in row.cells()] for row in self.rows]
        lines = [COLUMNS, rule, *cells]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def arrow(self) -> pa.Table:
        """A row each, with every count and every ratio, not rounded."""
        return pa.Table.from_pylist([_record(row) for row in self.rows], schema=SCHEMA)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write `leaks.parquet` and `leaks.md` into `folder`; give their paths."""
        parquet, markdown = folder / "leaks.parquet", folder / "leaks.md"
        with written_whole(parquet) as partial:
            pq.write_table(self.arrow(), partial)
        write_bytes(markdown, self.markdown().encode())
        return parquet, markdown


RATIOS = ("leak_share", "leaked_object_share", "flicker_per_min", "over_mask_share")
SCHEMA = pa.schema(
    [
        ("scene", pa.string()),
        ("method", pa.string()),
        *((name, pa.float64()) for name in RATIOS),
        ("object_frames", pa.int64()),
        ("leaking_frames", pa.int64()),
        ("objects", pa.int64()),
        ("leaked_objects", pa.int64()),
        ("longest_s", pa.float64()),
        ("leaking_s", pa.float64()),
        ("changes", pa.int64()),
        ("presence_s", pa.float64()),
        ("over_mask_frames", pa.float64()),
        ("frames", pa.int64()),
    ]
)


def run(
    methods: Mapping[str, Method],
    scenes: Iterable[Scene],
    covered_share: float = COVERED_SHARE,
    min_visible: float = 0.0,
) -> Table:
    """What each method leaks of each scene; see `exposure` for the two shares.

    Scenes are taken one at a time, and all methods see one before the next is made.
    """
    rows = [
        Row(scene.name, name, exposure(scene.truth, method(scene), covered_share, min_visible))
        for scene in scenes
        for name, method in methods.items()
    ]
    pooled = [Row(POOLED, name, pool([r.exposure for r in rows if r.method == name])) for name in methods]
    return Table((*rows, *pooled))


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(
        cell.ljust(width) if column < _N_TEXT_COLUMNS else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def _record(row: Row) -> dict[str, object]:
    ratios = {name: getattr(row.exposure, name) for name in RATIOS}
    return {"scene": row.scene, "method": row.method, **ratios, **asdict(row.exposure)}
