from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonflow.errors import DamagedVideoError, EncodeError
from anonflow.pipeline.guard import record_failure
from anonflow.pipeline.outcomes import quarantine
from anonflow.pipeline.stages import stitch as stitch_stage
from anonflow.pipeline.stages.stitch import stitch
from anonflow.tables import read_note, read_rows
from anonflow.types import MaskPlan, Status
from tests.pipeline.worlds import BOX, FixedDetector, World, outcome_of, tracked


def test_one_row_of_a_video_brings_the_rows_of_all_its_chunks(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    made = [stitch(row, context) for row in rows]
    given = [group for group in made if group]
    assert len(given) == 1
    assert [row.chunk for row in given[0]] == list(range(len(rows)))


def test_the_plan_hides_the_object_in_every_frame_as_one_track(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    for row in rows:
        stitch(row, context)
    path = context.paths.mask_plan(rows[0].video_id)
    plan, note = read_rows(MaskPlan, path), read_note(path)
    assert sorted(set(plan.frames.tolist())) == list(range(40))
    assert note["objects"] == {"face": 1} and note["shots"] == 1
    assert note["seams"]["n"] == len(rows) - 1
    upright = np.array(BOX) / 2  # the detector saw the picture twice as large
    assert (plan.xyxy[:, :2] <= upright[:2]).all() and (plan.xyxy[:, 2:] >= upright[2:]).all()


def test_stitching_twice_gives_the_same(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    first = [stitch(row, context) for row in rows]
    content = context.paths.mask_plan(rows[0].video_id).read_bytes()
    assert [stitch(row, context) for row in rows] == first
    assert [stitch(row, context) for row in reversed(rows)] == first[::-1]
    assert context.paths.mask_plan(rows[0].video_id).read_bytes() == content


def test_a_failed_chunk_ends_its_video_once(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    failed = context.paths.tracks(rows[1].video_id, 1)
    failed.unlink()
    record_failure(context.paths.failure(failed), DamagedVideoError("frame 17 is broken"))
    made = [out for row in rows for out in stitch(row, context)]
    assert [outcome_of(row).reason for row in made] == ["damaged"]
    again = [out for row in rows for out in stitch(row, context)]
    assert again == made, "also when the task is run again"


def test_a_row_that_ended_passes(world: World, detector: FixedDetector) -> None:
    context = world.context()
    world.clip()
    ended = quarantine(world.row(), "plan", EncodeError("x"), context)
    assert stitch(ended, context) == [ended]


def test_stitching_again_after_the_video_ended_passes_rows_on_to_where_it_ended(
    world: World, detector: FixedDetector
) -> None:
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    made = [out for row in rows for out in stitch(row, context)]
    quarantine(made[0], "join", EncodeError("x"), context)
    again = [out for row in rows for out in stitch(row, context)]
    assert again == made


def test_no_object_no_plan_rows(world: World, detector: FixedDetector) -> None:
    detector.boxes = ()
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    assert any(stitch(row, context) for row in rows)
    assert len(read_rows(MaskPlan, context.paths.mask_plan(rows[0].video_id))) == 0


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EPERM])
def test_a_disk_that_is_full_at_the_fan_in_is_a_quarantine_and_no_crash(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch, code: Any
) -> None:
    """A stage never raises: one exception ends the run of all videos. EPERM: a file system without hard links."""

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    monkeypatch.setattr(os, "link", refuse)
    made = [out for row in rows for out in stitch(row, context)]
    assert made, "the video is lost: it has neither rows nor an outcome"
    assert {outcome_of(row).status for row in made} == {Status.QUARANTINED}


def test_the_quality_is_chosen_once_for_all_chunks(
    tmp_path: Path, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.make(tmp_path, "video.crf=null")
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    for row in rows:
        stitch(row, context)
    crf = read_note(context.paths.mask_plan(rows[0].video_id))["crf"]
    assert 8 <= crf <= 34
    monkeypatch.setattr(stitch_stage, "choose_crf", None)
    assert [out for row in rows for out in stitch(row, context)], "a rerun uses what is written"


def test_a_configured_quality_needs_no_search(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = tracked(world.row(), context)
    for row in rows:
        stitch(row, context)
    assert read_note(context.paths.mask_plan(rows[0].video_id))["crf"] == 20
