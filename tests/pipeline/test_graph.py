from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from anonflow.config import RuntimeConfig
from anonflow.pipeline import graph
from anonflow.pipeline.cluster import stage_resources
from anonflow.pipeline.graph import DetectRows, rows
from anonflow.pipeline.rows import SCHEMA, Row, from_table, to_table
from anonflow.pipeline.sources import list_sources
from anonflow.types import Source, Status
from tests.pipeline.worlds import World

ROWS = [Row.of(Source(f"/in/{n}", str(n), f"v{n}", 1, 2)) for n in range(3)]


def test_a_stage_may_give_one_row_or_several_or_none(world: World) -> None:
    context = world.context()

    def stage(row: Any, given: Any) -> Any:
        assert given is context
        return {"/in/0": [], "/in/1": row, "/in/2": [row, row]}[row.uri]

    made = rows(stage, context)(to_table(ROWS))
    assert [row.uri for row in from_table(made)] == ["/in/1", "/in/2", "/in/2"]


def test_a_batch_without_rows_keeps_the_schema(world: World) -> None:
    made = rows(lambda *_: [], world.context())(to_table(ROWS))
    assert isinstance(made, pa.Table) and made.schema.equals(SCHEMA) and made.num_rows == 0
    assert DetectRows(world.context())(to_table([])).schema.equals(SCHEMA)


def test_sources_that_cannot_be_used_come_out_as_outcomes(world: World, embedded_ray: RuntimeConfig) -> None:
    """Through all stages on Ray, without a model: nothing is left to detect in."""
    folder = world.root / "in"
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video")
    (folder / "gone.mp4").symlink_to(folder / "nowhere")
    sources = list_sources(world.config.input, world.output, world.config.source).sources
    dataset = graph.build(
        [Row.of(source) for source in sources],
        world.context(),
        stage_resources(one_worker_a_stage(embedded_ray), wants_gpu=False),
    )
    found = {outcome.uri.rpartition("/")[2]: outcome for outcome in graph.outcomes(dataset)}
    assert {name: o.reason for name, o in found.items()} == {
        "empty.mp4": "empty",
        "text.mp4": "not_a_video",
        "gone.mp4": "missing",
    }
    assert {o.status for o in found.values()} == {Status.QUARANTINED}


def one_worker_a_stage(config: RuntimeConfig) -> RuntimeConfig:
    """Starting worker processes is what takes the time here."""
    stages = ("plan", "detect", "stitch", "mask", "join")
    return replace(config, **{name: replace(getattr(config, name), max_workers=1) for name in stages})
