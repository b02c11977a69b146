from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from anonflow.config import RegionConfig, TimeSpan, VideoRegions
from anonflow.errors import EncodeError
from anonflow.pipeline.byhand import region_plan
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.copies import Copies
from anonflow.pipeline.outcomes import quarantine
from anonflow.pipeline.stages import mask as mask_stage
from anonflow.pipeline.stages import stitch as stitch_stage
from anonflow.pipeline.stages.join import join
from anonflow.pipeline.stages.mask import mask
from anonflow.pipeline.stages.stitch import stitch
from anonflow.tables import MASK_DIGESTS, read_index
from anonflow.types import MaskPlan, Status
from anonflow.video.decode import decode_range
from anonflow.video.encode import SegmentWriter
from anonflow.video.planes import bgr_upright, plane_set
from anonflow.video.psnr import Fidelity
from anonflow.video.segment import open_segment, read_segment
from tests.media import Clip
from tests.pipeline.worlds import FixedDetector, World, masked, outcome_of, tracked


def stitched(row: Any, context: RunContext) -> Any:
    return [made for one in tracked(row, context) for made in stitch(one, context)]


def files(folder: Path) -> Any:
    return sorted(path.name for path in folder.iterdir())


def test_a_segment_holds_the_frames_that_the_chunk_owns(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    for row in masked(world.row(), context):
        index, chunks = read_index(context.paths.index(row.video_id))
        chunk = chunks[row.chunk]
        segment = read_segment(context.paths.segment(row.video_id, row.chunk))
        assert segment.matches(index.pts[chunk.start_frame : chunk.stop_frame], index.time_base)


def test_masking_again_does_nothing(world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    monkeypatch.setattr(mask_stage, "mask_chunk", None)
    assert [mask(row, context) for row in rows] == rows


def test_a_lost_segment_is_made_again_the_same(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    row = masked(world.row(), context)[0]
    segment = context.paths.segment(row.video_id, row.chunk)
    content = segment.read_bytes()
    segment.unlink()
    mask(row, context)
    assert segment.read_bytes() == content


def test_a_failure_while_masking_leaves_a_reason_and_no_half_segment(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clip()
    context = world.context()
    rows = stitched(world.row(), context)

    def fail(*_: Any) -> None:
        raise EncodeError("refused")

    monkeypatch.setattr(mask_stage, "paint", fail)
    assert [mask(row, context) for row in rows] == rows
    folder = context.paths.segment(rows[0].video_id, 0).parent
    assert not [name for name in files(folder) if name.endswith((".nut", ".partial"))]
    assert all(context.paths.failure(context.paths.segment(r.video_id, r.chunk)).exists() for r in rows)


def test_a_frame_that_cannot_be_masked_is_not_written(
    world: World, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the frame, and nothing of its chunk."""
    world.clip()
    context = world.context()
    row = stitched(world.row(), context)[0]
    calls = []
    real = mask_stage.paint

    def fail_late(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 5:
            raise ValueError("late")
        real(*arguments)

    monkeypatch.setattr(mask_stage, "paint", fail_late)
    mask(row, context)
    assert not context.paths.segment(row.video_id, row.chunk).exists()


def test_nothing_is_masked_for_a_source_that_has_ended(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    row = stitched(world.row(), context)[0]
    ended = quarantine(row, "mask", EncodeError("x"), context)
    assert mask(ended, context) == ended and mask(row, context) == row
    assert not context.paths.segment(row.video_id, row.chunk).exists()


def test_hidden_black_frames_are_no_picture_that_was_kept(world: World, blind: FixedDetector) -> None:
    world.clip()
    context = world.context()
    row = stitched(world.row(), context)[0]
    index, (chunk, *_) = read_index(context.paths.index(row.video_id))
    whole, half = (
        mask_stage.mask_chunk(
            mask_stage.Work(
                Path(row.uri),
                replace(index, damaged=np.arange(n, dtype=np.int64)),
                chunk,
                MaskPlan.empty(),
                region_plan(context.config, row.relative_path, index),
                Copies.none(index, ""),
            ),
            context.paths.work / "segment",
            context,
            30.0,
        ).fidelity
        for n in (0, chunk.n_frames - 4)
    )
    assert (whole.weight, half.weight) == (chunk.n_frames, 4)
    assert half.mean_error == pytest.approx(whole.mean_error, rel=0.5)


@pytest.fixture
def digesting(world: World) -> Any:
    return replace(world, config=replace(world.config, debug=replace(world.config.debug, mask_digests=True)))


def test_a_chunk_that_kept_too_little_is_encoded_again_and_fits_to_the_others(
    tmp_path: Path, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.make(tmp_path, "video.crf=null", "video.target_psnr_db=40")
    world.clip()

    def too_high(*_: object) -> float:
        return 40.0

    monkeypatch.setattr(stitch_stage, "choose_crf", too_high)
    context = world.context()
    rows = stitched(world.row(), context)
    mask(rows[0], context)
    with monkeypatch.context() as patch:
        patch.setattr(mask_stage, "_MAX_ENCODES", 1)
        mask(rows[1], context)
    notes = [
        json.loads(context.paths.note(context.paths.segment(row.video_id, row.chunk)).read_text())
        for row in rows[:2]
    ]
    assert notes[0]["crf"] < 40 == notes[1]["crf"]
    kept_db = [Fidelity(**note["fidelity"]).mean_db or 0 for note in notes]
    assert kept_db[0] >= 40 > kept_db[1]
    for row in rows[2:]:
        mask(row, context)
    (outcome,) = [outcome_of(made) for row in rows for made in join(row, context)]
    assert outcome.status is Status.PUBLISHED and len(outcome.details["video"]["crf"]) == 2
    assert outcome.frames == 40


def test_digests_are_written_when_asked_for(digesting: World, world: World, detector: FixedDetector) -> None:
    world.clip()
    context = digesting.context()
    for row in masked(digesting.row(), context):
        index, chunks = read_index(context.paths.index(row.video_id))
        chunk = chunks[row.chunk]
        table = pq.read_table(context.paths.digests(row.video_id, row.chunk))
        assert table.schema.equals(MASK_DIGESTS)
        assert table["frame"].to_pylist() == list(range(chunk.start_frame, chunk.stop_frame))
        assert np.array_equal(table["pts"], index.pts[chunk.start_frame : chunk.stop_frame])
        assert len(set(table["digest"].to_pylist())) == chunk.n_frames, "every frame is another picture"


def test_no_digests_are_written_unless_asked_for(world: World, detector: FixedDetector) -> None:
    world.clip()
    context = world.context()
    rows = masked(world.row(), context)
    assert not [name for name in files(context.paths.segment(rows[0].video_id, 0).parent) if "digest" in name]


TIMED = RegionConfig(0.5, 1.0, box=(0.75, 0.0, 1.0, 0.25))
HIDDEN_FRAMES = range(12, 25)  # those of the clip's 40 that are shown at any time of 0.5 <= t < 1.0, at 25 a second


def with_regions(world: World, **parts: Any) -> World:
    """The world with regions for its clip, and digests."""
    regions = [
        VideoRegions("*.mp4", **parts),
        VideoRegions("other/*", hide=(RegionConfig(box=(0.0, 0.0, 1.0, 1.0)),)),
    ]
    config = replace(world.config, regions=regions, debug=replace(world.config.debug, mask_digests=True))
    return replace(world, config=config)


class Written:
    """What the mask stage gives to its encoder, and what the source has in the same places."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frames: list[Any] = []
        self.upright: list[Any] = []
        self.upright_size, self.rotation_deg = (96, 64), 0
        real = SegmentWriter.write

        def write(writer: Any, pts: int, frame: Any, **given: Any) -> None:
            self.frames.append([plane.copy() for plane in plane_set(frame).planes])
            self.upright.append(bgr_upright(frame, *self.upright_size, self.rotation_deg))
            real(writer, pts, frame, **given)

        monkeypatch.setattr(SegmentWriter, "write", write)

    def of(self, world: World) -> Any:
        """Mask the world's clip; frame by frame what was written, and what the source has."""
        context = world.context()
        row = world.row()
        masked(row, context)
        index, _ = read_index(context.paths.index(row.video_id))
        assert len(self.frames) == index.n_frames
        source = decode_range(Path(row.uri), index, int(index.pts[0]), index.end_pts)
        return list(zip(self.frames, [[p.copy() for p in plane_set(f).planes] for _, f in source], strict=True))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    return Written(monkeypatch)


def test_a_region_is_hidden_in_its_time_and_nothing_else_is_touched(
    world: World, blind: FixedDetector, written: Written
) -> None:
    world.clip()
    frames = written.of(with_regions(world, hide=(TIMED,)))
    for number, (made, source) in enumerate(frames):
        if number in HIDDEN_FRAMES:
            assert (made[0][:16, 72:] == 16).all() and (made[1][:8, 36:] == 128).all()
            for planes in (made, source):
                planes[0][:16, 72:] = planes[1][:8, 36:] = planes[2][:8, 36:] = 0
        assert all(np.array_equal(*planes) for planes in zip(made, source, strict=True))


def test_a_hidden_region_is_hidden_in_the_frames_of_the_segments(world: World, blind: FixedDetector) -> None:
    world.clip()
    context = with_regions(world, hide=(TIMED,)).context()
    corners = []
    for row in masked(world.row(), context):
        with open_segment(context.paths.segment(row.video_id, row.chunk)) as container:
            corners += [plane_set(frame).planes[0][:16, 72:].copy() for frame in container.decode(video=0)]
    is_black = [bool((corner < 24).all()) for corner in corners]
    assert is_black == [number in HIDDEN_FRAMES for number in range(40)]


@pytest.mark.parametrize("rotation_deg", [90, -90, 180])
def test_a_region_is_hidden_where_it_was_drawn_on_the_turned_picture(
    world: World, blind: FixedDetector, written: Written, rotation_deg: int
) -> None:
    world.clip(clip=Clip(rotation_deg=rotation_deg))
    written.rotation_deg = rotation_deg
    written.upright_size = width, height = (96, 64) if rotation_deg == 180 else (64, 96)
    hide = (RegionConfig(box=(0.75, 0.0, 1.0, 0.25)),)
    written.of(with_regions(world, hide=hide))
    for picture in written.upright:
        assert (picture[: height // 4, 3 * width // 4 :] < 12).all(), "the upper right corner, as it is shown"
        assert (picture.max(axis=2) < 12).mean() < 0.1, "and nothing else"


def test_what_is_kept_stays_identical_to_the_bit_even_where_something_was_detected(
    world: World, detector: FixedDetector, written: Written
) -> None:
    world.clip()
    masks_without = [made for made, _ in written.of(with_regions(world, process=(TimeSpan(),)))]
    assert all((made[0][8:16, 8:16] == 16).all() for made in masks_without), "or the test tests nothing"
    written.frames.clear()
    keep = (RegionConfig(box=(8.0, 8.0, 30.0, 16.0), units="px"),)
    for (made, source), without in zip(written.of(with_regions(world, keep=keep)), masks_without, strict=True):
        assert np.array_equal(made[0][8:16, 8:30], source[0][8:16, 8:30])
        assert all(np.array_equal(m[4:8, 4:15], s[4:8, 4:15]) for m, s in zip(made[1:], source[1:], strict=True))
        made[0][8:16, 8:30] = without[0][8:16, 8:30]
        assert np.array_equal(made[0], without[0])


def test_what_is_hidden_and_kept_is_hidden(world: World, detector: FixedDetector, written: Written) -> None:
    world.clip()
    everything = (RegionConfig(box=(0.0, 0.0, 1.0, 1.0)),)
    polygon = (RegionConfig(polygon=((50.0, 5.0), (90.0, 5.0), (90.0, 60.0)), units="px"),)
    for made, source in written.of(with_regions(world, hide=polygon, keep=everything)):
        changed = made[0] != source[0]
        assert (made[0][6:40, 80:90] == 16).all() and not changed[:, :48].any() and not changed[40:, :70].any()


def test_outside_of_the_times_to_process_frames_are_as_they_were(
    world: World, detector: FixedDetector, written: Written
) -> None:
    world.clip()
    regions = with_regions(world, hide=(replace(TIMED, from_s=0.0, to_s=None),), process=(TimeSpan(0.5, 1.0),))
    for number, (made, source) in enumerate(written.of(regions)):
        is_same = all(np.array_equal(*planes) for planes in zip(made, source, strict=True))
        assert is_same == (number not in HIDDEN_FRAMES)


def test_the_frames_with_anything_hidden_are_counted(world: World, detector: FixedDetector) -> None:
    """By what is painted: regions count, and times that are not worked on do not."""
    world.clip()
    counted = with_regions(world, process=(TimeSpan(0.5, 1.0),))
    assert counted.outcome().details["masked_frames"] == len(HIDDEN_FRAMES)


def test_times_are_since_the_first_frame(world: World, blind: FixedDetector, written: Written) -> None:
    """Also of a video that begins later, and whose frames come when they like."""
    pts = [90_000 + 512 * n for n in (*range(13), *range(20, 47))]
    world.clip(clip=Clip(pts=pts))
    frames = written.of(with_regions(world, hide=(replace(TIMED, from_s=0.8, to_s=0.88),)))
    is_hidden = [bool((made[0][:16, 72:] == 16).all()) for made, _ in frames]
    assert is_hidden == [number in (13, 14) for number in range(40)]


def test_regions_are_part_of_the_mask_digests(world: World, detector: FixedDetector) -> None:
    world.clip()
    hide, keep = (TIMED,), (replace(TIMED, from_s=0.0, to_s=0.5),)
    digests = []
    for parts in ({"process": (TimeSpan(),)}, {"hide": hide}, {"keep": keep}):
        context = with_regions(world, **parts).context()
        tables = [pq.read_table(context.paths.digests(r.video_id, r.chunk)) for r in masked(world.row(), context)]
        digests.append([digest for table in tables for digest in table["digest"].to_pylist()])
    plain, hidden, kept = digests
    assert [a != b for a, b in zip(plain, hidden, strict=True)] == [n in HIDDEN_FRAMES for n in range(40)]
    assert [a != b for a, b in zip(plain, kept, strict=True)] == [n < 12 for n in range(40)]
