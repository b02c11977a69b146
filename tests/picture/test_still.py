"""Every kind of file that is handled, through the same checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.errors import AnonflowError, DamagedPictureError, NotAPictureError, PictureTooLargeError, SourceError
from anonflow.picture.contract import inspect
from anonflow.picture.still import HEAD_BYTES, kind_of, open_picture, read_picture
from anonflow.types import Verdict
from tests.pictures import BOX, CORNER, files, nothing, shown, solid, stored

FILES = dict(files())
MANY = 10**6
DARK = 60
"""Ringing in a block that is only partly black, and colour that decoders bring in from beside it."""


@pytest.mark.parametrize("name", FILES)
def test_without_a_mask_every_pixel_stays_and_metadata_goes(name: str) -> None:
    data = FILES[name]
    still = open_picture(data, MANY)
    out = still.masked(solid(still.info.grid, None), nothing)
    np.testing.assert_array_equal(shown(data), shown(out))
    np.testing.assert_array_equal(shown(data, "RGBA"), shown(out, "RGBA"))
    assert b"SECRET" not in out
    checks = inspect(still, out, np.zeros((still.info.grid.height, still.info.grid.width), np.bool_), nothing)
    assert [check for check in checks if check.verdict is Verdict.BROKEN] == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("box", [BOX, CORNER], ids=["within", "corner"])
def test_a_mask_hides_and_nothing_else_changes(name: str, box: tuple[int, int, int, int]) -> None:
    still = open_picture(FILES[name], MANY)
    grid = still.info.grid
    if grid.width < grid.height:  # a TIFF is upright already
        box = (box[1], box[0], min(box[3], grid.width), min(box[2], grid.height))
    hiding = solid(grid, box)
    out = still.masked(hiding, nothing)
    checks = {check.name: check for check in inspect(still, out, hiding.hidden, nothing)}
    assert [check for check in checks.values() if check.verdict is Verdict.BROKEN] == []
    inside = stored(out)[hiding.hidden] if "tif" not in name else shown(out)[hiding.hidden]
    is_palette = still.info.mode.startswith(("palette", "P "))
    assert inside.max() <= DARK or (is_palette and np.ptp(inside, axis=0).max() == 0)
    assert shown(out).shape == shown(FILES[name]).shape


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("least", [10, 64, 10**4])
def test_detectors_get_the_picture_at_least_as_large_as_asked(name: str, least: int) -> None:
    still = open_picture(FILES[name], MANY)
    picture = still.bgr(least)
    upright = still.info.turn.upright(picture)
    assert upright.dtype == np.uint8 and upright.ndim == 3
    assert max(upright.shape) >= min(least, max(still.info.shown_size))
    if upright.shape[1::-1] == still.info.shown_size and "16" not in name:
        np.testing.assert_array_equal(upright[..., ::-1], shown(FILES[name]))


@pytest.mark.parametrize("name", FILES)
def test_content_says_what_it_is(name: str) -> None:
    kinds = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "bmp": "BMP", "webp": "WEBP"}
    assert kind_of(FILES[name][:HEAD_BYTES]) == kinds[name.rpartition(".")[2]]
    assert open_picture(FILES[name], MANY).info.format == kinds[name.rpartition(".")[2]]


@pytest.mark.parametrize(
    "data", [b"", b"BM", b"text, not a picture", b"GIF89a" + b"\0" * 50, b"\0\0\0\x18ftypmp42"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert kind_of(data[:HEAD_BYTES]) is None
    with pytest.raises(NotAPictureError):
        open_picture(data, MANY)


@pytest.mark.parametrize("name", FILES)
def test_too_many_pixels_are_not_decoded(name: str) -> None:
    with pytest.raises(PictureTooLargeError, match=r"picture\.max_pixels=5000"):
        open_picture(FILES[name], 5000)


@pytest.mark.parametrize("name", FILES)
def test_half_a_file_is_damaged(name: str) -> None:
    half = FILES[name][: len(FILES[name]) // 2]
    with pytest.raises((DamagedPictureError, SourceError)):
        still = open_picture(half, MANY)
        still.bgr(10)
        still.masked(solid(still.info.grid, None), nothing)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_whatever_is_damaged_it_is_refused_or_comes_out_whole(name: str, data: st.DataObject) -> None:
    content = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        still = open_picture(bytes(content), MANY)
        still.info.turn.upright(still.bgr(10))
        hiding = solid(still.info.grid, (1, 1, still.info.grid.width // 2 + 2, still.info.grid.height // 2 + 2))
        out = still.masked(hiding, nothing)
        checks = inspect(still, out, hiding.hidden, nothing)
    except AnonflowError:
        return
    assert b"SECRET" not in out
    assert checks


def test_too_many_bytes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1234")
    assert read_picture(path, 4) == b"1234"
    with pytest.raises(PictureTooLargeError, match=r"picture\.max_bytes=3"):
        read_picture(path, 3)
