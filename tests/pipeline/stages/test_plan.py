from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from anonflow.errors import SourceChangedError, SourceEmptyError, SourceMissingError, SourceUnreadableError
from anonflow.pipeline.guard import count_attempt
from anonflow.pipeline.rows import Row
from anonflow.pipeline.stages import plan as plan_stage
from anonflow.pipeline.stages.plan import check_source, plan
from anonflow.storage import fingerprint
from anonflow.tables import read_index
from anonflow.types import Source, Status
from tests.media import Clip
from tests.pipeline.worlds import FixedDetector, World, outcome_of, published_files


def ended(world: World, row: Any, run_id: Any = "run1") -> Any:
    (made,) = plan(row, world.context(run_id))
    return outcome_of(made)


def row_for(path: Path, size: Any = -1, modified_ns: Any = 0) -> Any:
    return Row.of(Source(str(path), path.name, fingerprint(str(path)), size, modified_ns))


def test_a_video_becomes_its_chunks(world: World) -> None:
    world.clip()
    context, row = world.context(), world.row()
    rows = plan(row, context)
    assert [(r.chunk, r.n_chunks, r.video_id) for r in rows] == [
        (n, len(rows), row.video_id) for n in range(len(rows))
    ]
    index, chunks = read_index(context.paths.index(row.video_id))
    assert len(rows) == len(chunks) > 1 and index.n_frames == 40
    assert sum(chunk.n_frames for chunk in chunks) == 40


def test_planning_twice_gives_the_same_rows_and_probes_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.clip()
    context = world.context()
    first = plan(world.row(), context)
    monkeypatch.setattr(plan_stage, "probe", None)
    assert plan(world.row(), context) == first


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.mp4", b"", "empty"),
        ("text.mp4", b"this is no video " * 100, "not_a_video"),
        ("truncated.mp4", b"\0\0\0\x20ftypisom" + b"\0" * 200, None),
        ("-dash\n.mp4", b"x", "not_a_video"),
    ],
)
def test_what_is_no_video_is_quarantined_with_its_name(world: World, name: Any, content: Any, reason: Any) -> None:
    path = world.root / "in" / name
    path.write_bytes(content)
    outcome = ended(world, world.row())
    assert outcome.status is Status.QUARANTINED and str(path) in outcome.message
    assert reason in (None, outcome.reason)
    assert published_files(world.output) == []


def test_what_is_missing_a_folder_or_a_pipe_is_quarantined(world: World) -> None:
    folder, pipe = world.root / "in" / "folder.mp4", world.root / "in" / "pipe.mp4"
    folder.mkdir()
    os.mkfifo(pipe)
    assert ended(world, row_for(world.root / "in" / "gone.mp4")).reason == "missing"
    assert ended(world, row_for(folder)).reason == "unreadable"
    assert ended(world, row_for(pipe)).reason == "unreadable"
    assert ended(world, row_for(world.root / "in" / "gone.mp4" / "x")).status is Status.QUARANTINED


def test_a_source_that_is_refused_at_once_counts_as_a_failed_task(world: World) -> None:
    told: list[tuple[str, ...]] = []
    progress = SimpleNamespace(
        task=lambda stage, state, _wall_s: told.append((stage, state)),
        failed=lambda stage, reason: told.append((stage, reason)),
        ended=lambda *_values: None,
    )
    plan(row_for(world.root / "in" / "gone.mp4"), replace(world.context(), progress=progress, stage="plan"))
    assert told == [("plan", "failed"), ("plan", "missing")]


def test_sound_without_a_picture_is_quarantined(world: World) -> None:
    import wave

    with wave.open(str(world.root / "in" / "sound.mp4"), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(b"\0\0" * 8000)
    assert ended(world, world.row()).reason == "no_video_stream"


def test_a_result_that_no_container_can_hold_is_refused_before_the_work(world: World) -> None:
    world.clip("late.mkv", Clip(codec="libvpx", options={}, time_base=Fraction(1, 1000), pts=[-40, 0, 40]))
    rows = plan(world.row(), world.context())
    if rows[0].outcome:  # not every muxer writes negative timestamps
        assert outcome_of(rows[0]).reason == "unsupported"
        assert str(world.root) in outcome_of(rows[0]).message


def test_an_unforeseen_failure_is_quarantined_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError

    world.clip()
    monkeypatch.setattr(plan_stage, "probe", fail)
    assert ended(world, world.row()).reason == "internal"


def test_a_source_that_changed_since_it_was_listed_is_quarantined(world: World) -> None:
    path = world.clip()
    row = world.row()
    with path.open("ab") as file:
        file.write(b"more")
    outcome = ended(world, row)
    assert outcome.reason == "source_changed"


def test_the_check_of_a_source(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    found = path.stat()
    source = Source(str(path), "a.mp4", "v", found.st_size, found.st_mtime_ns)
    check_source(source)
    with pytest.raises(SourceChangedError):
        check_source(replace(source, modified_ns=1))
    with pytest.raises(SourceUnreadableError):
        check_source(replace(source, uri=str(tmp_path)))
    with pytest.raises(SourceMissingError):
        check_source(replace(source, uri=str(tmp_path / "gone")))
    path.write_bytes(b"")
    with pytest.raises(SourceEmptyError):
        check_source(source)


# --- published before ------------------------------------------------------------------------------------


@pytest.fixture
def done(world: World, detector: FixedDetector) -> Any:
    """A world whose only source was published by run1."""
    world.clip()
    assert world.outcome().status is Status.PUBLISHED
    return world


def test_an_equal_later_run_finds_it_unchanged(done: World) -> None:
    outcome = ended(done, done.row(), "run2")
    assert outcome.status is Status.UNCHANGED and outcome.output_uri == str(done.output / "clip.mp4")
    assert ended(done, done.row(), "run2") == outcome, "also when the task is run again"


def test_it_is_done_again_when_the_output_is_not_what_was_written(done: World) -> None:
    result = done.output / "clip.mp4"
    result.write_bytes(result.read_bytes() + b"x")
    assert not plan(done.row(), done.context("run2"))[0].outcome
    result.unlink()
    assert not plan(done.row(), done.context("run3"))[0].outcome


def test_it_is_done_again_when_the_source_or_the_configuration_is_another(done: World) -> None:
    path = done.root / "in" / "clip.mp4"
    other = World(done.root, replace(done.config, video=replace(done.config.video, crf=40)))
    assert not plan(other.row(), other.context("run2"))[0].outcome
    os.utime(path, ns=(1, 1))
    assert not plan(done.row(), done.context("run3"))[0].outcome


def test_it_is_done_again_when_the_result_belongs_elsewhere_now(done: World) -> None:
    """The same file named through another folder: its result is to mirror the tree that is given now."""
    row = replace(done.row(), relative_path="sub/clip.mp4")
    rows = plan(row, done.context("run2"))
    assert not rows[0].outcome or outcome_of(rows[0]).output_uri == str(done.output / "sub" / "clip.mp4")


# --- crashes ---------------------------------------------------------------------------------------------


def test_a_source_that_took_its_worker_down_too_often_is_quarantined(world: World) -> None:
    """A demuxer can crash as a decoder can; without an end to the attempts such a file stops the whole run."""
    world.clip()
    context, row = world.context(), world.row()
    for _ in range(context.config.runtime.max_attempts):
        count_attempt(context.paths.attempts(context.paths.index(row.video_id)))
    (made, *_) = plan(row, context)
    assert made.outcome and outcome_of(made).reason == "worker_crash"


def test_planning_again_after_the_end_gives_rows_that_end_the_same_way(
    world: World, detector: FixedDetector
) -> None:
    """Ray may run a task again long after its rows went on."""
    world.clip()
    first = world.outcome()
    assert world.outcome() == first
