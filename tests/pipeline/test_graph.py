from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa

from anonflow.config import RuntimeConfig
from anonflow.errors import DamagedVideoError
from anonflow.pipeline import graph
from anonflow.pipeline.album.members import album_row
from anonflow.pipeline.graph import DetectRows, rows
from anonflow.pipeline.outcomes import quarantine
from anonflow.pipeline.resources import stage_resources
from anonflow.pipeline.rows import SCHEMA, Row, from_table, to_table
from anonflow.pipeline.sources import list_sources
from anonflow.types import Source, Status
from tests.pipeline.worlds import World, outcome_of

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


def test_what_a_stage_cannot_deal_with_ends_its_row_and_no_other(world: World) -> None:
    def stage(row: Any, _: Any) -> Any:
        if row.uri == "/in/1":
            raise OSError(116, "Stale file handle")
        return row

    context = world.context()
    made = from_table(rows(stage, context)(to_table(ROWS)))
    assert [bool(row.outcome) for row in made] == [False, True, False]
    outcome = outcome_of(made[1])
    assert (outcome.status, outcome.reason) == (Status.QUARANTINED, "storage") and "/in/1" in outcome.message
    assert [outcome_of(row) for row in from_table(rows(stage, context)(to_table(made[1:2])))] == [outcome]


def test_what_ended_before_a_stage_failed_stays_as_it_ended(world: World) -> None:
    context = world.context()
    ended = quarantine(ROWS[0], "plan", DamagedVideoError("cut off"), context)

    def stage(*_: Any) -> Any:
        raise ValueError("a late row")

    (row,) = from_table(rows(stage, context)(to_table(ROWS[:1])))
    assert outcome_of(row) == outcome_of(ended)


def test_all_pictures_of_an_album_end_with_it(world: World) -> None:
    context = world.context()
    album = album_row([row.source for row in ROWS], context)

    def stage(*_: Any) -> Any:
        raise ValueError("a defect")

    made = from_table(rows(stage, context)(to_table([album])))
    assert [(o.uri, o.kind, o.reason) for o in map(outcome_of, made)] == [
        (row.uri, "picture", "internal") for row in ROWS
    ]


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
