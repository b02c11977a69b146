from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from anonflow.errors import EncodeError
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.outcomes import quarantine
from anonflow.pipeline.stages import mask as mask_stage
from anonflow.pipeline.stages.mask import mask
from anonflow.pipeline.stages.stitch import stitch
from anonflow.tables import MASK_DIGESTS, read_index
from anonflow.video.segment import read_segment
from tests.pipeline.worlds import FixedDetector, World, masked, tracked


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


@pytest.fixture
def digesting(world: World) -> Any:
    return replace(world, config=replace(world.config, debug=replace(world.config.debug, mask_digests=True)))


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
