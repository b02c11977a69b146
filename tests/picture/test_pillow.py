from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFile

from anonflow.errors import DamagedPictureError, PictureTooLargeError
from anonflow.picture.pillow import array, bgr_of, decoded, looks_of, opened, require_size
from tests.pictures import encoded, scene


def test_half_a_picture_is_an_error_and_never_a_grey_rest() -> None:
    data = encoded(scene(), "JPEG")
    assert not ImageFile.LOAD_TRUNCATED_IMAGES
    with pytest.raises(DamagedPictureError):
        decoded(opened(data[: len(data) * 2 // 3], "JPEG"), "JPEG")


def test_only_the_format_that_was_asked_for_is_read() -> None:
    with pytest.raises(DamagedPictureError):
        opened(encoded(scene(), "PNG"), "JPEG")


def test_limits_are_told_with_the_key_to_change() -> None:
    require_size(10, 10, 100)
    with pytest.raises(PictureTooLargeError, match=r"10x11 pixels, more than picture\.max_pixels=100"):
        require_size(10, 11, 100)


def test_what_lies_under_transparent_pixels_is_looked_at() -> None:
    image = scene().convert("RGBA")
    image.putalpha(0)
    np.testing.assert_array_equal(bgr_of(image)[..., ::-1], np.asarray(scene()))


def test_sixteen_bits_are_looked_at_as_eight() -> None:
    deep = np.asarray(scene().convert("L")).astype(np.uint16) * 256 + 77
    np.testing.assert_array_equal(bgr_of(Image.fromarray(deep))[..., 0], deep >> 8)


def test_arrays_can_be_painted_on() -> None:
    assert array(scene()).flags.writeable


def test_a_picture_in_the_transparency_is_looked_at() -> None:
    grey = scene().convert("L")
    for colour in (0, 255):
        image = Image.merge("LA", (Image.new("L", grey.size, colour), grey))
        colours, over_white, over_black = looks_of(image)
        assert np.ptp(colours) == 0
        seen = over_black[..., 0] if colour else 255 - over_white[..., 0]
        np.testing.assert_array_equal(seen, np.asarray(grey))
    palette = scene().convert("L").convert("P")
    palette.putpalette(bytes(768))
    data = encoded(palette, "PNG", transparency=bytes(range(256)))
    assert np.ptp(looks_of(decoded(opened(data, "PNG"), "PNG"))[1]) > 100
    opaque = scene().convert("RGBA")
    assert len(looks_of(opaque)) == len(looks_of(scene())) == 1
