from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anonflow.errors import EncodeError
from anonflow.picture.coefficients import read_coefficients, write_coefficients
from anonflow.picture.jpeg_file import JpegFile
from tests.pictures import encoded, scene, shown

KINDS = {
    "420": {"quality": 80},
    "444": {"quality": 95, "subsampling": 0},
    "progressive": {"quality": 80, "progressive": True},
    "restarts": {"quality": 80, "restart_marker_blocks": 3},
    "rgb": {"keep_rgb": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_what_was_read(kind: str) -> None:
    jpeg = JpegFile.parse(encoded(scene(), "JPEG", **KINDS[kind]))
    given = read_coefficients(jpeg)
    made = write_coefficients(jpeg, given.blocks)
    again = read_coefficients(made)
    for before, after in zip((*given.blocks, *given.tables), (*again.blocks, *again.tables), strict=True):
        np.testing.assert_array_equal(before, after)
    assert (made.frame, made.tables) == (jpeg.frame, jpeg.tables), "progressive stays progressive"


def test_changed_coefficients_are_written() -> None:
    jpeg = JpegFile.parse(encoded(scene(), "JPEG"))
    blocks = tuple(np.zeros_like(part) for part in read_coefficients(jpeg).blocks)
    made = write_coefficients(jpeg, blocks)
    assert (shown(jpeg.with_picture_of(made, b"", ())) == 128).all()


def test_sizes_are_those_of_the_frame() -> None:
    for subsampling in range(3):
        jpeg = JpegFile.parse(encoded(scene(), "JPEG", subsampling=subsampling))
        assert [part.shape[:2] for part in read_coefficients(jpeg).blocks] == [
            jpeg.frame.blocks(n) for n in range(3)
        ]


def test_nothing_is_left_open() -> None:
    jpeg = JpegFile.parse(encoded(scene(), "JPEG"))
    read_coefficients(jpeg)
    before = len(list(Path("/proc/self/fd").iterdir()))
    write_coefficients(jpeg, read_coefficients(jpeg).blocks)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_fourth_component_would_be_copied_unmasked_and_is_refused() -> None:
    jpeg = JpegFile.parse(encoded(scene().convert("CMYK"), "JPEG"))
    with pytest.raises(EncodeError):
        write_coefficients(jpeg, read_coefficients(jpeg).blocks)
