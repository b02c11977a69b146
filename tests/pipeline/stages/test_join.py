from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonflow.errors import ConfigError, EncodeError, NoSpaceError
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.guard import record_failure
from anonflow.pipeline.outcomes import quarantine, read_done
from anonflow.pipeline.stages import join as join_stage
from anonflow.pipeline.stages.join import join, output_path
from anonflow.storage import file_sha256
from anonflow.types import Check, Status, Verdict
from anonflow.video.clip import picture_at
from anonflow.video.probe import probe
from tests.media import Clip
from tests.pipeline.worlds import BOX, FixedDetector, World, masked, outcome_of, published_files, run_all


def joined(rows: Any, context: RunContext) -> Any:
    return [out for row in rows for out in join(row, context)]


def test_a_video_is_published_masked_and_accounted_for(world: World, detector: FixedDetector) -> None:
    source = world.clip(clip=Clip(audio=("aac",)))
    before = source.read_bytes()
    outcome = world.outcome()
    result = world.output / "clip.mp4"
    assert outcome.status is Status.PUBLISHED and outcome.output_uri == str(result)
    assert (outcome.frames, outcome.output_bytes) == (40, result.stat().st_size)
    assert outcome.output_sha256 == file_sha256(result) and outcome.source_sha256 == file_sha256(source)
    assert source.read_bytes() == before
    assert outcome.details["objects"] == {"face": 1} and outcome.details["masked_frames"] == 40
    assert set(outcome.details["stage_seconds"]) == {"plan", "detect", "stitch", "mask", "join"}
    assert json.loads(json.dumps(outcome.to_json())) == outcome.to_json()


def test_every_frame_is_black_where_the_object_is_and_itself_elsewhere(
    world: World, detector: FixedDetector
) -> None:
    source = world.clip(clip=Clip(n_frames=30))
    world.outcome()
    result = world.output / "clip.mp4"
    index, made = probe(source), probe(result)
    x1, y1, x2, y2 = (int(v / 2) for v in BOX)  # the detector saw the picture twice as large
    for frame in range(30):
        picture, original = picture_at(result, made, frame), picture_at(source, index, frame)
        assert picture[y1:y2, x1:x2].max() < 40
        assert np.abs(picture[40:, 40:].astype(int) - original[40:, 40:]).mean() < 6


def test_nothing_is_left_of_the_work_and_no_partial_file(world: World, detector: FixedDetector) -> None:
    world.clip()
    world.outcome()
    paths = world.context().paths
    assert published_files(world.output) == ["clip.mp4"]
    assert list(paths.partial.iterdir()) == []
    left = [path.name for path in paths.work.rglob("*") if path.is_file() and "runs" not in path.parts]
    assert left == []


def test_joining_twice_gives_the_same_outcome_and_writes_once(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    first = joined(rows, context)
    stat = (world.output / "clip.mp4").stat()
    assert joined(rows, context) == first and joined(rows[::-1], context) == first
    again = (world.output / "clip.mp4").stat()
    assert (again.st_ino, again.st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    assert len(first) == 1


def test_a_task_that_died_after_marking_its_source_as_done_ends_it_the_same_way(
    world: World, detector: FixedDetector
) -> None:
    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    (first,) = joined(rows, context)
    context.paths.ended(rows[0].video_id).unlink()
    assert [outcome_of(row) for row in joined(rows, context)] == [outcome_of(first)]


def test_a_task_that_died_after_the_rename_publishes_again(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clip()
    context = world.context()
    rows = masked(world.row(), context)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(join_stage, "write_done", die)
        with pytest.raises(KeyboardInterrupt):
            joined(rows, context)
    content = (world.output / "clip.mp4").read_bytes()
    (row,) = joined(rows, context)
    assert outcome_of(row).status is Status.PUBLISHED
    assert (world.output / "clip.mp4").read_bytes() == content


def test_a_result_that_cannot_be_recorded_as_published_is_not(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clip()
    context = world.context()
    rows = masked(world.row(), context)

    def refuse(*_: object) -> None:
        raise NoSpaceError("No space left")

    with monkeypatch.context() as patch:
        patch.setattr(join_stage, "write_done", refuse)
        (row,) = joined(rows, context)
    assert (outcome_of(row).status, outcome_of(row).reason) == (Status.QUARANTINED, "no_space")
    assert not published_files(world.output)
    again = world.context("run2")
    (row,) = joined(masked(world.row(), again), again)
    assert outcome_of(row).status is Status.PUBLISHED and published_files(world.output) == ["clip.mp4"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_result_that_cannot_be_written_is_quarantined_and_its_chunks_wait(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch, code: Any
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    with monkeypatch.context() as patch:
        patch.setattr(join_stage, "move_into_place", refuse)
        (row,) = joined(rows, context)
    assert outcome_of(row).status is Status.QUARANTINED
    assert published_files(world.output) == [] and list(context.paths.partial.iterdir()) == []
    calls = detector.calls
    assert world.outcome("run2").status is Status.PUBLISHED
    assert detector.calls == calls, "what was done before is used again"


def test_a_full_disk_at_the_fan_in_is_a_quarantine_and_no_crash(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    monkeypatch.setattr(os, "link", refuse)
    made = joined(rows, context)
    assert made and {outcome_of(row).status for row in made} == {Status.QUARANTINED}


# --- fidelity --------------------------------------------------------------------------------------------


def test_a_result_that_fails_a_check_is_not_published(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        return (Check("frames", Verdict.BROKEN, "40 and 39"), Check("size", Verdict.EQUAL))

    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    monkeypatch.setattr(join_stage, "inspect", broken)
    (row,) = joined(rows, context)
    outcome = outcome_of(row)
    assert outcome.reason == "fidelity" and "frames (40 and 39)" in outcome.message
    assert published_files(world.output) == [] and list(context.paths.partial.iterdir()) == []
    assert read_done(rows[0], context) is None


@pytest.mark.parametrize("damage", ["swapped", "cut", "garbage"])
def test_broken_segments_are_never_published(world: World, detector: FixedDetector, damage: Any) -> None:
    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    one, other = (context.paths.segment(rows[0].video_id, chunk) for chunk in (0, len(rows) - 1))
    content = one.read_bytes()
    if damage == "swapped":
        one.write_bytes(other.read_bytes())
    elif damage == "cut":
        one.write_bytes(content[: len(content) // 2])
    else:
        one.write_bytes(b"garbage" * 100)
    (row,) = joined(rows, context)
    assert outcome_of(row).status is Status.QUARANTINED
    assert published_files(world.output) == []


def test_nothing_is_joined_before_all_segments_are_there(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    context.paths.segment(rows[0].video_id, 0).unlink()
    assert joined(rows, context) == [] and published_files(world.output) == []


def test_a_source_that_changed_during_the_work_is_not_published(world: World, detector: FixedDetector) -> None:
    source = world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    os.utime(source, ns=(1, 1))
    (row,) = joined(rows, context)
    assert outcome_of(row).reason == "source_changed"
    assert published_files(world.output) == []


def test_a_failed_segment_ends_its_video(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    segment = context.paths.segment(rows[1].video_id, 1)
    segment.unlink()
    record_failure(context.paths.failure(segment), EncodeError("refused"))
    (row,) = joined(rows, context)
    assert outcome_of(row).reason == "encode" and published_files(world.output) == []


def test_a_row_that_ended_passes(world: World) -> None:
    context = world.context()
    world.clip()
    ended = quarantine(world.row(), "plan", EncodeError("x"), context)
    assert join(ended, context) == [ended]


def test_what_the_video_was_encoded_with_and_what_it_kept_is_in_the_report(
    tmp_path: Path, detector: FixedDetector
) -> None:
    world = World.make(tmp_path, "video.crf=null", "video.target_psnr_db=40")
    world.clip()
    outcome = world.outcome()
    video = outcome.details["video"]
    assert (video["codec"], video["encoder"], video["preset"]) == ("h264", "libx264", "ultrafast")
    kept = video["psnr_db"]
    assert kept["target"] == 40 and kept["mean"] >= 40 and kept["min"] <= kept["mean"]
    assert 1 <= len(video["crf"]) <= 2 and video["rate_ratio"] > 0
    (check,) = (c for c in outcome.details["checks"] if c["name"] == "picture outside the masks")
    assert check["verdict"] == "changed by policy" and "luma PSNR" in check["detail"]


def test_a_target_that_cannot_be_kept_is_told_and_published(
    tmp_path: Path, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a blemish and no leak."""
    world = World.make(tmp_path, "video.crf=null", "video.target_psnr_db=60")
    world.clip()
    outcome = world.outcome()
    assert outcome.status is Status.PUBLISHED and outcome.details["video"]["crf"] == [8.0]
    (check,) = (c for c in outcome.details["checks"] if c["name"] == "picture outside the masks")
    assert "below the target of 60 dB" in check["detail"]


@pytest.mark.parametrize("video", ["lossless", "ffv1"])
def test_without_loss_only_the_masks_differ(tmp_path: Path, detector: FixedDetector, video: str) -> None:
    world = World.make(tmp_path, f"video={video}", "video.crf=null", "video.preset=null")
    source = world.clip(clip=Clip(n_frames=20))
    outcome = world.outcome()
    result = Path(outcome.output_uri)
    index, made = probe(source), probe(result)
    for frame in range(20):
        picture, original = picture_at(result, made, frame), picture_at(source, index, frame)
        assert np.array_equal(picture[50:, 50:], original[50:, 50:]) and picture[10:15, 12:18].max() < 40
    assert outcome.details["video"]["psnr_db"] == {"mean": 100.0, "min": 100.0, "target": None}


# --- names -----------------------------------------------------------------------------------------------


def test_a_result_keeps_its_name_unless_the_container_changes(tmp_path: Path) -> None:
    assert output_path(tmp_path, "a/b.MP4", ".mp4") == tmp_path / "a" / "b.MP4"
    assert output_path(tmp_path, "a/b.avi", ".mkv") == tmp_path / "a" / "b.avi.mkv"
    assert output_path(tmp_path, "-x", ".mkv") == tmp_path / "-x.mkv"


@pytest.mark.parametrize("name", ["-rf.mp4", "new\nline.mp4", "ünï ✓.mp4", "a b%s.mp4", "sub/deep/x.mp4"])
def test_videos_of_any_name_are_published(world: World, detector: FixedDetector, name: Any) -> None:
    world.clip(name, Clip(n_frames=4))
    assert world.outcome().status is Status.PUBLISHED
    assert published_files(world.output) == [name]


def test_two_sources_do_not_share_one_result(world: World, detector: FixedDetector) -> None:
    """a.avi becomes a.avi.mkv, and a video of that name lies beside it: one result would replace the other."""
    mjpeg = Clip(codec="mjpeg", pixel_format="yuvj420p", options={}, n_frames=4)
    world.clip("a.avi", replace(mjpeg, time_base=Fraction(1, 25)))
    world.clip("a.avi.mkv", Clip(time_base=Fraction(1, 1000), n_frames=6))
    try:
        outcomes = run_all(world.rows(), world.context())
    except ConfigError:  # refused when they are listed: nothing was started, nothing is lost
        return
    made = [o.output_uri for o in outcomes if o.status is Status.PUBLISHED]
    assert len(outcomes) == 2 and len(set(made)) == len(made)


def test_a_source_is_never_replaced_by_a_result(world: World, detector: FixedDetector) -> None:
    """The input is a link to a file that lies where the result goes."""
    real = world.clip("../out/clip.mp4")
    before = real.read_bytes()
    (world.root / "in" / "clip.mp4").symlink_to(real)
    with suppress(ConfigError):
        run_all(world.rows(), world.context())
    assert real.read_bytes() == before
