from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from anonflow.evaluate.intervals import Bootstrap
from anonflow.evaluate.judge import Settings, judge
from anonflow.evaluate.results import Results, finite, thinned
from anonflow.evaluate.sweep import sweep
from tests.evaluate.samples import LABELS, hiding, picture

FACE = [10, 10, 30, 30]


def results() -> Results:
    cases = [
        picture([FACE], found=[FACE], masks=[FACE], item_id="a"),
        picture([FACE, [50, 50, 60, 60]], item_id="b", ignored=[False, True]),
    ]
    made = judge(cases, LABELS, ["face"], {"face": 0.2}, Settings(min_count=1, bootstrap=Bootstrap(20)))
    grid = sweep(cases, hiding(), "face", np.array([0.2, 0.95]), np.array([0.0]), 0.9)
    return Results({**made.metrics, "nan": float("nan")}, made, cases, [grid])


def test_tables_hold_what_was_counted(tmp_path: Path) -> None:
    paths = results().write(tmp_path, with_names=True)
    assert [p.name for p in paths] == [
        "metrics.json", "items.parquet", "slices.parquet", "curves.parquet", "sweep.parquet"
    ]  # fmt: skip
    items = pq.read_table(tmp_path / "items.parquet").to_pylist()
    told = [
        (i["item_id"], i["name"], i["label"], i["object_frames"], i["found"], i["leaking_frames"]) for i in items
    ]
    assert told == [("a", "a.jpg", "face", 1, 1, 0), ("b", "b.jpg", "face", 1, 0, 1)]
    swept = pq.read_table(tmp_path / "sweep.parquet").to_pylist()
    assert [(s["threshold"], s["item_id"], s["leaking_frames"]) for s in swept] == [
        (0.2, "a", 0), (0.2, "b", 1), (0.95, "a", 1), (0.95, "b", 1)
    ]  # fmt: skip
    curve = pq.read_table(tmp_path / "curves.parquet").to_pylist()
    assert [(c["label"], c["precision"], c["recall"]) for c in curve] == [("face", 1, 0.5)]
    assert pq.read_table(tmp_path / "slices.parquet").num_rows == len(results().judgement.slices)


def test_json_has_null_for_no_number(tmp_path: Path) -> None:
    results().write(tmp_path, with_names=False)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["nan"] is None and metrics["detection"]["face"]["recall"] == 0.5
    assert pq.read_table(tmp_path / "items.parquet")["name"].to_pylist() == [None, None]
    assert finite({1: (float("inf"), 2, "x")}) == {"1": [None, 2, "x"]}


def test_curves_are_thinned_to_their_ends() -> None:
    rows = thinned(100_000)
    assert len(rows) == 2000 and rows[0] == 0 and rows[-1] == 99_999
    assert thinned(3).tolist() == [0, 1, 2] and thinned(0).tolist() == []
