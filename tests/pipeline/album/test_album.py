from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from anonflow.errors import DamagedPictureError, NoSpaceError, StorageError
from anonflow.pipeline import outcomes
from anonflow.pipeline.album.album import Album
from anonflow.pipeline.album.members import album_row
from anonflow.pipeline.context import RunContext, SilentProgress
from anonflow.pipeline.guard import record_failure
from anonflow.pipeline.rows import Outcome, Row
from anonflow.types import Source, Status
from tests.pipeline.worlds import World, outcome_of

NAMES = ("a.jpg", "b.jpg", "c.jpg")


@pytest.fixture
def context(world: World) -> RunContext:
    return world.context()


@pytest.fixture
def row(context: RunContext) -> Row:
    return album_row([Source(f"/in/{name}", name, f"id-{name}", 1, 1) for name in NAMES], context)


def left(album: Album) -> list[str]:
    return [member.source.relative_path for member in album.left()]


def outcomes_of(rows: list[Row]) -> dict[str, str]:
    return {row.relative_path: outcome_of(row).reason for row in rows if row.outcome}


def each(album: Album, work: Callable[[str], None]) -> list[Row]:
    for member in album.left():
        album.attempt(member, lambda name=member.source.relative_path: work(name))
    return album.leave()


def test_a_failure_is_its_own_pictures(row: Row, context: RunContext) -> None:
    def work(name: str) -> None:
        if name == "b.jpg":
            raise DamagedPictureError("cut off")
        if name == "c.jpg":
            raise ValueError("a defect")

    rows = each(Album(row, "mask", context), work)
    assert outcomes_of(rows) == {"b.jpg": "damaged_picture", "c.jpg": "internal"}
    assert rows[-1] == row, "the album goes on with the others"
    assert left(Album(row, "join", context)) == ["a.jpg"]
    message = outcome_of(rows[0]).message
    assert message == "/in/b.jpg: cut off" and outcome_of(rows[0]).kind == "picture"


def test_an_album_is_at_work_while_its_pictures_are(row: Row, context: RunContext) -> None:
    told: list[tuple[str, ...]] = []

    class Told(SilentProgress):
        def began(self, task: str, limit_s: float) -> None:
            told.append(("began", task))
            assert limit_s > context.config.runtime.chunk_timeout_s, "what one of them may take"

        def left(self, task: str) -> None:
            told.append(("left", task))

    each(Album(row, "mask", replace(context, progress=Told())), lambda _: None)
    task = f"mask {row.video_id}"
    assert told == [("began", task), ("left", task)], "not for every picture"


def test_a_stage_that_is_run_again_ends_the_same_pictures(row: Row, context: RunContext) -> None:
    def work(name: str) -> None:
        if name != "a.jpg":
            raise DamagedPictureError("cut off")

    first = each(Album(row, "mask", context), work)
    assert each(Album(row, "mask", context), lambda _: None) == first
    assert each(Album(row, "join", context), lambda _: None) == [row], "another stage says nothing of them"


@pytest.mark.parametrize("poisoned", [{"b.jpg"}, {"a.jpg", "c.jpg"}, set(NAMES)])
def test_a_picture_that_kills_its_worker_takes_no_other_with_it(
    row: Row, context: RunContext, poisoned: set[str]
) -> None:
    """SystemExit stands for the death of the worker: nothing after it is done, and the task is run again."""
    done: list[str] = []

    def work(name: str) -> None:
        if name in poisoned:
            raise SystemExit(139)
        done.append(name)

    for _ in range(20):
        try:
            rows = each(Album(row, "mask", context), work)
            break
        except SystemExit:
            continue
    assert outcomes_of(rows) == dict.fromkeys(sorted(poisoned), "worker_crash")
    assert set(done) == set(NAMES) - poisoned
    assert "its worker died 3 times" in outcome_of(rows[0]).message


def test_a_hang_that_a_deadline_ended_is_the_pictures_failure(row: Row, context: RunContext) -> None:
    album = Album(row, "mask", context)
    marker = context.paths.album_marker(row.video_id, "mask", "id-b.jpg")
    record_failure(context.paths.failure(marker), DamagedPictureError("took too long"))
    assert outcomes_of(each(album, lambda _: None)) == {"b.jpg": "damaged_picture"}


def test_what_concerns_all_ends_all(row: Row, context: RunContext) -> None:
    album = Album(row, "stitch", context)
    with album.together():
        raise NoSpaceError("no space left to write the plan")
    assert outcomes_of(album.leave()) == dict.fromkeys(NAMES, "no_space")


def test_an_end_that_cannot_be_recorded_ends_the_album(
    row: Row, context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a later stage, which cannot know, might publish what was quarantined here."""
    album = Album(row, "mask", context)

    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(outcomes, "write_json", full)
    rows = each(album, lambda name: (_ for _ in ()).throw(DamagedPictureError("x")))
    assert set(outcomes_of(rows)) == set(NAMES) and not any(made.is_album for made in rows)


def test_an_outcome_is_on_disk_before_its_row_goes_on(row: Row, context: RunContext) -> None:
    album = Album(row, "join", context)
    member = next(album.left())
    album.end(member, Outcome("/in/a.jpg", "id-a.jpg", Status.PUBLISHED, 1, "f", kind="picture"))
    record = json.loads(context.paths.ended("id-a.jpg").read_text())
    assert record["stage"] == "join" and record["outcome"]["status"] == "published"
    assert left(album) == ["b.jpg", "c.jpg"]
