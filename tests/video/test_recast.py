from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.video.planes import plane_set
from anonflow.video.recast import recast
from tests.media import video_frame


def test_the_same_format_is_the_same_frame() -> None:
    frame = video_frame(32, 16, 0)
    assert recast(frame, "yuv420p") is frame


@pytest.mark.parametrize("size", [(32, 16), (33, 17)])
def test_full_range_is_not_converted(size: tuple[int, int]) -> None:
    frame = video_frame(*size, 3, "yuvj420p")
    frame.pts, frame.time_base, frame.color_range, frame.color_primaries = 7, Fraction(1, 25), 2, 9
    made = recast(frame, "yuv420p")
    assert (made.format.name, made.pts, made.time_base) == ("yuv420p", 7, Fraction(1, 25))
    assert (made.color_range, made.color_primaries) == (2, 9)
    for a, b in zip(plane_set(frame).planes, plane_set(made).planes, strict=True):
        assert np.array_equal(a, b)


@given(st.integers(0, 4095))
def test_fewer_bits_are_rounded_and_never_wrap(value: int) -> None:
    frame = av.VideoFrame(16, 16, "yuva444p12le")
    frame.pts, frame.time_base = 0, Fraction(1, 25)
    for plane in plane_set(frame, writable=True).planes:
        plane[:] = value
    made = plane_set(recast(frame, "yuva444p10le"))
    assert len(made.planes) == 4
    for plane in made.planes:
        assert set(plane.ravel().tolist()) == {min(1023, (value + 2) // 4)}
