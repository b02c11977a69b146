from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonflow.types import FrameIndex, StreamFormat
from anonflow.video.plan import plan_chunks

FORMAT = StreamFormat("h264", "yuv420p", 96, 64, None, 0, 0, 2, 2, 2)


def _index(pts: list[int], keyframes: set[int], last_duration: int = 40) -> FrameIndex:
    n = len(pts)
    key = np.array([frame in keyframes for frame in range(n)])
    return FrameIndex(
        "nut", 0, Fraction(1, 1000), np.array(pts), key, np.arange(n), pts[-1] + last_duration, FORMAT, (), ()
    )


@st.composite
def indexes(draw: st.DrawFn) -> FrameIndex:
    steps = draw(st.lists(st.integers(1, 2000), max_size=120))
    pts = np.cumsum([draw(st.integers(-5000, 5000)), *steps]).tolist()
    keyframes = draw(st.sets(st.integers(0, len(steps)), max_size=20))
    return _index(pts, keyframes, draw(st.integers(0, 100)))


@given(index=indexes(), length_s=st.floats(0.001, 100), overlap=st.integers(0, 200))
def test_owned_ranges_tile_the_video(index: FrameIndex, length_s: float, overlap: int) -> None:
    chunks = plan_chunks(index, length_s, overlap)
    assert chunks[0].start_pts == index.pts[0] and chunks[0].start_frame == 0
    assert chunks[-1].stop_pts > index.pts[-1] and chunks[-1].stop_frame == index.n_frames
    assert chunks[-1].stop_pts >= index.end_pts
    for left, right in pairwise(chunks):
        assert (left.stop_pts, left.stop_frame) == (right.start_pts, right.start_frame)
    for number, chunk in enumerate(chunks):
        owned = np.flatnonzero((index.pts >= chunk.start_pts) & (index.pts < chunk.stop_pts))
        assert owned.tolist() == list(range(chunk.start_frame, chunk.stop_frame))
        assert chunk.index == number and chunk.n_frames >= 1
        assert chunk.start_frame - chunk.lead_frame == min(overlap, chunk.start_frame)
        assert chunk.lead_pts == index.pts[chunk.lead_frame]


@given(index=indexes(), length_s=st.floats(0.05, 10))
def test_no_chunk_is_tiny_but_where_frames_are_far_apart(index: FrameIndex, length_s: float) -> None:
    length = round(Fraction(length_s) * 1000)
    chunks = plan_chunks(index, length_s, 0)
    for chunk in chunks[1:]:
        assert chunk.stop_pts - chunk.start_pts >= length // 4
    gap = int(np.diff(index.pts).max(initial=0))
    for chunk in chunks[:-1]:
        assert 0.74 * length - 1 <= chunk.stop_pts - chunk.start_pts <= 1.25 * length + gap + 1


def test_cuts_go_to_keyframes_that_are_near() -> None:
    index = _index([n * 40 for n in range(250)], {0, 55, 120, 170})
    assert [c.start_frame for c in plan_chunks(index, 2.0, 0)] == [0, 55, 105, 155, 205]
    index = _index([n * 40 for n in range(250)], {0, 55, 60, 109})
    assert [c.start_frame for c in plan_chunks(index, 2.0, 0)] == [0, 55, 109, 159, 209]


def test_one_frame_and_short_videos_are_one_chunk() -> None:
    (chunk,) = plan_chunks(_index([7], {0}), 10.0, 64)
    assert (chunk.lead_pts, chunk.start_pts, chunk.stop_pts, chunk.n_frames) == (7, 7, 47, 1)
    assert len(plan_chunks(_index([0, 40, 80], {0}), 10.0, 64)) == 1
