from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from anonflow.evaluate.benchmark import COLUMNS, POOLED, SCHEMA, Table, run
from anonflow.evaluate.exposure import exposure, pool
from anonflow.evaluate.truth import Scene
from anonflow.types import Detections, MaskPlan
from tests.evaluate.rectangles import make_plan, make_truth


def scene(name: str, n_frames: int) -> Scene:
    rows = [(n, 1, 0, 0, 10, 10, 1.0) for n in range(n_frames)]
    truth = make_truth(rows, np.arange(n_frames) / 10, n_frames / 10)
    lights = np.ones(n_frames, np.float32)
    return Scene(name, truth, Detections.empty(), np.zeros(n_frames, np.int32), lights, ("face",))


def nothing(_scene: Scene) -> MaskPlan:
    return MaskPlan.empty()


def first_half(scene: Scene) -> MaskPlan:
    return make_plan([(n, 0, 0, 20, 10) for n in range(scene.n_frames // 2)])


METHODS = {"nothing": nothing, "first half": first_half}
SCENES = [scene("short", 10), scene("long, | with a bar", 30)]


@pytest.fixture
def table() -> Table:
    return run(METHODS, SCENES)


def test_a_row_for_each_method_and_scene_and_for_all(table: Table) -> None:
    assert [(r.scene, r.method) for r in table.rows] == [
        (name, method) for name in (SCENES[0].name, SCENES[1].name, POOLED) for method in METHODS
    ]
    assert [r.method for r in table.pooled().rows] == list(METHODS)


def test_rows_are_what_exposure_says(table: Table) -> None:
    parts = [exposure(s.truth, first_half(s)) for s in SCENES]
    assert [r.exposure for r in table.rows if r.method == "first half"] == [*parts, pool(parts)]
    assert table.rows[-1].exposure.leak_share == 0.5 and table.rows[-1].exposure.longest_s == pytest.approx(1.5)


def test_the_shares_are_passed_on() -> None:
    half: Any = {"half": lambda s: make_plan([(n, 0, 0, 5, 10) for n in range(s.n_frames)])}
    assert run(half, SCENES).rows[-1].exposure.leak_share == 1
    assert run(half, SCENES, covered_share=0.5).rows[-1].exposure.leak_share == 0
    assert run(half, SCENES, min_visible=0.99).rows[-1].exposure.object_frames == 40
    assert run(half, SCENES, min_visible=1.0).rows[-1].exposure.object_frames == 0


def test_scenes_are_made_one_at_a_time() -> None:
    log: list[str] = []

    def made() -> Any:
        for one in SCENES:
            log.append(f"made {one.name}")
            yield one

    run({"a": lambda s: log.append(f"seen {s.name}") or MaskPlan.empty()}, made())
    assert log == [f"{what} {s.name}" for s in SCENES for what in ("made", "seen")]


def test_the_text_is_aligned(table: Table) -> None:
    head, *lines = table.text().splitlines()
    assert len(lines) == 6 and all(word in head for word in COLUMNS)
    assert {len(line) for line in (head, *lines)} == {len(head)}
    assert lines[1].split() == ["short", "first", "half", "50.00", "1/1", "(100", "%)", "0.50", "60.0", "0.50"]


def test_the_markdown_is_a_table(table: Table) -> None:
    lines = table.markdown().splitlines()
    assert len(lines) == 8 and lines[1] == "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(COLUMNS) + 1}
    assert "| all scenes | nothing | 100.00 | 2/2 (100 %) | 3.00 | 0.0 | 0.00 |" in lines


def test_the_files_hold_every_number(table: Table, tmp_path: Path) -> None:
    parquet, markdown = table.write(tmp_path / "new")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["leaks.md", "leaks.parquet"]
    assert markdown.read_text(encoding="utf-8") == table.markdown()
    written = pq.read_table(parquet)
    assert written.schema.equals(SCHEMA) and written.equals(table.arrow())
    for record, row in zip(written.to_pylist(), table.rows, strict=True):
        assert (record["scene"], record["method"]) == (row.scene, row.method)
        for name in SCHEMA.names[2:]:
            assert record[name] == getattr(row.exposure, name)


def test_no_scenes_give_empty_rows() -> None:
    assert [r.exposure.object_frames for r in run(METHODS, []).rows] == [0, 0]
