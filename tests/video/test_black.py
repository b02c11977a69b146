from __future__ import annotations

import numpy as np
import pytest

from anonflow.types import StreamFormat
from anonflow.video.black import black_frame
from anonflow.video.planes import plane_set


def form(pixel_format: str, color_range: int = 1) -> StreamFormat:
    return StreamFormat("h264", pixel_format, 34, 18, None, 0, color_range, 9, 16, 9)


@pytest.mark.parametrize(
    ("pixel_format", "color_range", "expected"),
    [
        ("yuv420p", 1, (16, 128, 128)),
        ("yuv420p", 0, (16, 128, 128)),
        ("yuv420p", 2, (0, 128, 128)),
        ("yuvj422p", 2, (0, 128, 128)),
        ("yuv444p10le", 1, (64, 512, 512)),
        ("gray", 1, (16,)),
        ("yuva420p", 1, (16, 128, 128, 255)),
        ("yuva444p12le", 1, (256, 2048, 2048, 4095)),
    ],
)
def test_every_sample_is_black_and_opaque(pixel_format: str, color_range: int, expected: tuple[int, ...]) -> None:
    frame = black_frame(form(pixel_format, color_range))
    planes = plane_set(frame).planes
    assert [np.unique(plane).tolist() for plane in planes] == [[value] for value in expected]
    assert (frame.width, frame.height, frame.format.name) == (34, 18, pixel_format)


def test_it_is_shown_black() -> None:
    assert black_frame(form("yuv420p")).to_ndarray(format="rgb24").max() <= 1


def test_it_carries_the_colour_tags_of_the_stream() -> None:
    frame = black_frame(form("yuv420p10le"))
    assert (int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace)) == (9, 16, 9)
