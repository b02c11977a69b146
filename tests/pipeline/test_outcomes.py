from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from anonflow.errors import DamagedVideoError, NoSpaceError
from anonflow.pipeline import outcomes
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.outcomes import (
    after_attempt,
    end_source,
    has_ended,
    quarantine,
    read_done,
    read_ending,
    unchanged,
    write_done,
)
from anonflow.pipeline.rows import Outcome, Row
from anonflow.storage import Version, write_bytes
from anonflow.types import Status
from tests.pipeline.worlds import World, outcome_of

ROW = Row("/in/ü\n.mp4", "ü\n.mp4", "v", 10, 20, chunk=1, n_chunks=2)


@pytest.fixture
def context(world: World) -> Any:
    return world.context()


def published() -> Any:
    return Outcome(
        ROW.uri, "v", Status.PUBLISHED, 10, "fp", output_uri="/out/a.mp4", details={"objects": {"face": 2}}
    )


def test_an_end_is_recorded_before_its_row_goes_on(context: RunContext) -> None:
    assert read_ending(ROW, context) is None and not has_ended(ROW, context)
    row = end_source(ROW, "join", published(), context)
    ending = read_ending(ROW, context)
    assert ending is not None and ending.stage == "join"
    assert ending.outcome == outcome_of(row)
    assert has_ended(ROW, context)


def test_what_is_unchanged_has_its_path_of_today(context: RunContext) -> None:
    outcome = unchanged(replace(published(), relative_path="other/ü.mp4"), ROW)
    assert (outcome.status, outcome.relative_path) == (Status.UNCHANGED, ROW.relative_path)
    assert outcome.details == published().details


def test_an_end_is_of_this_run_only(world: World, context: RunContext) -> None:
    end_source(ROW, "join", published(), context)
    assert not has_ended(ROW, world.context("run2"))


def test_a_lasting_failure_removes_the_work_and_a_passing_one_keeps_it(context: RunContext) -> None:
    segment = context.paths.segment("v", 0)
    write_bytes(segment, b"x")
    row = quarantine(ROW, "mask", NoSpaceError("full"), context)
    assert segment.exists()
    assert outcome_of(row).reason == "no_space"
    quarantine(ROW, "mask", DamagedVideoError("damaged"), context)
    assert not segment.exists()


def test_a_quarantine_says_which_source_and_why(context: RunContext) -> None:
    outcome = outcome_of(quarantine(ROW, "plan", DamagedVideoError("cut off"), context))
    assert outcome.status is Status.QUARANTINED and outcome.reason == "damaged"
    assert outcome.message == f"{ROW.uri}: cut off"
    assert outcome.source_bytes == 10 and outcome.fingerprint == context.paths.keys.masks


def test_an_end_that_cannot_be_recorded_still_goes_on(context: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NoSpaceError("full")

    monkeypatch.setattr(outcomes, "write_json", refuse)
    row = quarantine(ROW, "mask", DamagedVideoError("cut off"), context)
    assert outcome_of(row).reason == "damaged"


def test_a_failed_attempt_goes_on_to_the_fan_in_when_it_is_on_disk(context: RunContext) -> None:
    result = context.paths.segment("v", 1)
    assert after_attempt(ROW, "mask", result, None, context) == ROW
    write_bytes(context.paths.failure(result), b"{}")
    assert after_attempt(ROW, "mask", result, NoSpaceError("full"), context) == ROW
    assert not has_ended(ROW, context)


def test_a_failed_attempt_that_is_nowhere_ends_its_source(context: RunContext) -> None:
    row = after_attempt(ROW, "mask", context.paths.segment("v", 1), NoSpaceError("full"), context)
    assert outcome_of(row).status is Status.QUARANTINED and has_ended(ROW, context)


def test_a_mark_of_a_published_source_comes_back(world: World, context: RunContext) -> None:
    assert read_done(ROW, context) is None
    write_done(ROW, published(), Version(7, 123, "e"), context)
    done = read_done(ROW, world.context("run2"))
    assert done is not None
    assert (done.run_id, done.output.modified_ns, done.output.etag) == ("run1", 123, "e")
    assert done.outcome.output_uri == "/out/a.mp4"
