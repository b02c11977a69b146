from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.errors import UnsupportedFormatError
from anonflow.picture.coefficients import read_coefficients
from anonflow.picture.hiding import Hiding
from anonflow.picture.jpeg import grid, mask_jpeg, touched_blocks
from anonflow.picture.jpeg_file import JpegFile
from tests.pictures import HEIGHT, WIDTH, encoded, scene, shown, solid


def jpeg_of(subsampling: int = 2, quality: int = 85) -> JpegFile:
    return JpegFile.parse(encoded(scene(), "JPEG", subsampling=subsampling, quality=quality))


def test_the_grid_is_the_chroma_grid() -> None:
    forms = [grid(jpeg_of(n)) for n in range(3)]
    assert [(form.shift_x, form.shift_y) for form in forms] == [(0, 0), (1, 0), (1, 1)]
    assert {(form.width, form.height) for form in forms} == {(WIDTH, HEIGHT)}


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2),
    st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(1, WIDTH), st.integers(1, HEIGHT)),
)
def test_coefficients_of_blocks_that_no_mask_touches_stay(
    subsampling: int, place: tuple[int, int, int, int]
) -> None:
    x, y, width, height = place
    jpeg = jpeg_of(subsampling)
    hiding = solid(grid(jpeg), (x, y, min(WIDTH, x + width), min(HEIGHT, y + height)))
    made = mask_jpeg(jpeg, hiding)
    before, after = read_coefficients(jpeg), read_coefficients(made)
    for number, (a, b) in enumerate(zip(before.blocks, after.blocks, strict=True)):
        touched = touched_blocks(hiding.hidden, a.shape[:2], jpeg.frame.shifts(number))
        np.testing.assert_array_equal(a[~touched], b[~touched])
    dark = shown(jpeg.with_picture_of(made, b"", ()))[hiding.hidden]
    assert dark.mean() < 80, "a pixel alone rings with its block; nothing of it is in there"


def test_a_block_that_looks_hidden_already_is_made_anew() -> None:
    """Blacker than black: what decoders clip can still hold a picture."""
    jpeg = jpeg_of(0)
    blocks = [part.copy() for part in read_coefficients(jpeg).blocks]
    blocks[0][2, 2] = 0
    blocks[0][2, 2, 0, 0], blocks[0][2, 2, 3, 3] = -1000, 5
    from anonflow.picture.coefficients import write_coefficients

    secret = write_coefficients(jpeg, tuple(blocks))
    made = mask_jpeg(secret, solid(grid(jpeg), (16, 16, 24, 24)))
    assert read_coefficients(secret).blocks[0][2, 2, 3, 3] == 5
    assert read_coefficients(made).blocks[0][2, 2, 3, 3] == 0


def test_what_lies_beyond_the_picture_is_covered_too() -> None:
    """The last blocks reach beyond odd sides; who raises the size in the header can read it."""
    jpeg = jpeg_of(0)
    made = mask_jpeg(jpeg, solid(grid(jpeg), (88, 48, WIDTH, HEIGHT)))
    last = read_coefficients(made).blocks[0][-1, -1]
    assert abs(int(last[0, 0])) > 0 and np.count_nonzero(last) == 1, "one flat colour to the end of the block"


def test_mosaic_is_made_of_the_picture_itself() -> None:
    jpeg = jpeg_of()
    form, seen = grid(jpeg), []
    hidden = np.zeros((HEIGHT, WIDTH), np.bool_)
    hidden[16:32, 16:48] = True
    hiding = Hiding(lambda planes: seen.append(planes.planes[0][16:32, 16:48].copy()), hidden, ((16, 16, 48, 32),))
    mask_jpeg(jpeg, hiding)
    grey = shown(jpeg.with_picture_of(jpeg, b"", ()), "L")[16:32, 16:48]
    assert np.abs(seen[0].astype(int) - grey).max() <= 2
    assert (form.width, form.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("box", [None, (0, 0, 9, 9)])
def test_cmyk_is_refused(box: tuple[int, int, int, int] | None) -> None:
    """The library copies the fourth component as it is."""
    jpeg = JpegFile.parse(encoded(scene().convert("CMYK"), "JPEG"))
    with pytest.raises(UnsupportedFormatError, match="CMYK"):
        mask_jpeg(jpeg, solid(grid(jpeg), box))


def test_rows_that_the_header_conceals_are_gone() -> None:
    whole = encoded(scene(), "JPEG", subsampling=0)
    place = whole.index(b"\xff\xc0") + 5
    cropped = JpegFile.parse(whole[:place] + (32).to_bytes(2, "big") + whole[place + 2 :])
    made = mask_jpeg(cropped, solid(grid(cropped), None))
    for before, after in zip(read_coefficients(cropped).blocks, read_coefficients(made).blocks, strict=True):
        np.testing.assert_array_equal(before, after)
    scans = [sum(len(s.data) for s in file.segments) for file in (cropped, made)]
    assert scans[1] < 0.7 * scans[0]


def test_bytes_after_the_last_block_are_gone() -> None:
    whole = encoded(scene(), "JPEG")
    jpeg = JpegFile.parse(whole[:-2] + b"SECRET" * 100 + whole[-2:])
    made = mask_jpeg(jpeg, solid(grid(jpeg), None))
    assert b"SECRET" not in jpeg.with_picture_of(made, b"", ())


def test_touched_blocks_are_all_and_only_those_with_a_hidden_pixel() -> None:
    hidden = np.zeros((HEIGHT, WIDTH), np.bool_)
    hidden[15, 16] = True
    assert np.argwhere(touched_blocks(hidden, (8, 13), (0, 0))).tolist() == [[1, 2]]
    assert np.argwhere(touched_blocks(hidden, (4, 7), (1, 1))).tolist() == [[0, 1]]
