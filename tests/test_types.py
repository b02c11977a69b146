from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.types import Boxes, Chunk, Detections, FrameIndex, MaskPlan, PlaneSet, StreamFormat, Tracks

FORMAT = StreamFormat("h264", "yuv420p", 64, 48, None, 0, 0, 2, 2, 2)


def index_of(pts: Any, decode_rank: Any = None, end_pts: Any = None, time_base: Any = Fraction(1, 100)) -> Any:
    pts = np.array(pts, np.int64)
    ranks = np.arange(len(pts)) if decode_rank is None else np.array(decode_rank)
    end = int(pts[-1]) + 4 if end_pts is None else end_pts
    return FrameIndex("mp4", 0, time_base, pts, np.ones(len(pts), bool), ranks, end, FORMAT, (), ())


def detections_at(frames: Any) -> Any:
    n = len(frames)
    xyxy = np.arange(4 * n, dtype=np.float32).reshape(n, 4)
    return Detections(np.array(frames, np.int64), xyxy, np.zeros(n, np.float32), np.zeros(n, np.int16))


def test_durations_come_from_timestamps() -> None:
    index = index_of([10, 14, 18, 30])
    assert index.n_frames == 4
    assert index.duration_s == pytest.approx(0.24)
    assert index.frame_interval_s == pytest.approx(0.04), "the median: one long pause is no frame rate"


def test_a_single_frame_has_an_interval() -> None:
    assert index_of([5], end_pts=9).frame_interval_s == pytest.approx(0.04)
    assert index_of([5], end_pts=5).frame_interval_s > 0


def test_the_reorder_depth_counts_how_far_decoding_runs_ahead() -> None:
    assert index_of([0, 4, 8]).reorder_depth == 0
    assert index_of([0, 4, 8, 12], [0, 3, 2, 1]).reorder_depth == 2


def test_a_chunk_knows_its_own_frames_without_the_overlap() -> None:
    assert Chunk(1, 0, 40, 80, 0, 10, 20).n_frames == 10


@settings(deadline=None)
@given(st.lists(st.integers(0, 20)).map(sorted), st.integers(-2, 22), st.integers(-2, 22))
def test_between_gives_the_rows_of_a_half_open_range(frames: Any, start: Any, stop: Any) -> None:
    found = detections_at(frames).between(start, stop)
    assert found.frames.tolist() == [f for f in frames if start <= f < stop]
    plan = MaskPlan(
        np.array(frames, np.int64), np.zeros((len(frames), 4), np.float32), np.zeros(len(frames), np.int16)
    )
    assert plan.between(start, stop).frames.tolist() == found.frames.tolist()


@settings(deadline=None)
@given(st.lists(st.integers(0, 20)).map(sorted), st.integers(0, 21))
def test_cutting_and_joining_gives_the_same_rows(frames: Any, cut: Any) -> None:
    whole = detections_at(frames)
    assert Detections.concat([whole.between(0, cut), whole.between(cut, 99)]).equals(whole)


@pytest.mark.parametrize("kind", [Boxes, Detections, Tracks, MaskPlan])
def test_joining_nothing_gives_empty_columns_of_the_right_types(kind: Any) -> None:
    nothing = kind.concat([])
    assert len(nothing) == 0
    for f in fields(kind):
        assert getattr(nothing, f.name).dtype == getattr(kind.empty(), f.name).dtype


def test_equality_is_of_all_columns() -> None:
    one = detections_at([1, 2])
    assert one.equals(detections_at([1, 2]))
    assert not one.equals(detections_at([1, 3]))
    assert not one.equals(replace(one, scores=np.ones(2, np.float32)))
    assert not one.equals(one[:1])


def test_rows_are_taken_together() -> None:
    taken = detections_at([1, 2, 3])[np.array([2, 0])]
    assert taken.frames.tolist() == [3, 1]
    assert taken.xyxy[:, 0].tolist() == [8, 0]


def test_values_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        FORMAT.width = 3


def test_the_size_of_a_frame_is_that_of_its_luma() -> None:
    frame = PlaneSet((np.zeros((5, 7), np.uint8), np.zeros((3, 4), np.uint8)), 1, 1, 8, False)
    assert (frame.width, frame.height) == (7, 5)
