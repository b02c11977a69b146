from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.errors import UnsupportedFormatError
from anonflow.video.brightness import mean_luma
from anonflow.video.planes import plane_set
from tests.media import video_frame


def _even(pixel_format: str, luma: int, width: int = 64, height: int = 48) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, pixel_format)
    for number, plane in enumerate(plane_set(frame, writable=True).planes):
        plane[:] = 128 if number else luma
    return frame


@pytest.mark.parametrize(
    ("pixel_format", "luma", "share"),
    [("yuv420p", 16, 0), ("yuv420p", 235, 1), ("yuv420p10le", 64, 0), ("yuv420p10le", 940, 1), ("yuvj420p", 0, 0),
     ("yuvj420p", 255, 1), ("gray", 16, 0), ("yuv444p", 0, 0), ("yuv420p", 255, 1), ("yuvj444p", 51, 0.2)],
)  # fmt: skip
def test_black_is_0_and_white_is_1_in_every_format(pixel_format: str, luma: int, share: float) -> None:
    assert mean_luma(_even(pixel_format, luma)) == pytest.approx(share, abs=1e-9)


def test_full_range_may_be_named_by_the_frame_alone() -> None:
    frame = _even("yuv420p", 51)
    frame.color_range = 2
    assert mean_luma(frame) == pytest.approx(0.2)


@given(width=st.integers(1, 700), height=st.integers(1, 700), number=st.integers(0, 50))
def test_the_grid_of_samples_finds_the_mean(width: int, height: int, number: int) -> None:
    frame = video_frame(width, height, number, "gray")
    exact = (plane_set(frame).planes[0].mean() - 16) / 219
    assert mean_luma(frame) == pytest.approx(min(max(exact, 0), 1), abs=0.02)


def test_all_parts_of_the_picture_count() -> None:
    frame = _even("gray", 16, 1000, 400)
    plane = plane_set(frame, writable=True).planes[0]
    plane[200:, 500:] = 235
    assert mean_luma(frame) == pytest.approx(0.25, abs=0.01)
    assert np.array_equal(plane_set(frame).planes[0], plane)


def test_other_formats_are_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="rgb24"):
        mean_luma(av.VideoFrame(32, 32, "rgb24"))
