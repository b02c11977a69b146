from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from anonflow.errors import UnsupportedFormatError
from anonflow.picture.plain_still import TIFF, PlainStill
from anonflow.picture.tiff_tags import SampleTags
from tests.pictures import BOX, encoded, nothing, scene, solid

MANY = 10**6


def grey_tiff(bits: int, photometric: int) -> bytes:
    """An uncompressed picture of 8x8 samples."""
    data = bytes(range(8 * bits))
    entries = [(256, 3, 8), (257, 3, 8), (258, 3, bits), (259, 3, 1), (262, 3, photometric), (273, 4, 0)]
    entries += [(277, 3, 1), (278, 3, 8), (279, 4, len(data))]
    start = 8 + 2 + 12 * len(entries) + 4
    made = b"II*\0" + struct.pack("<IH", 8, len(entries))
    for number, kind, value in entries:
        made += struct.pack("<HHII", number, kind, 1, start if number == 273 else value)
    return made + bytes(4) + data


@pytest.mark.parametrize("form", [(2, 1), (4, 1), (12, 1), (16, 0)])
def test_samples_that_would_come_out_as_others_are_refused(form: tuple[int, int]) -> None:
    with pytest.raises(UnsupportedFormatError):
        PlainStill.open(grey_tiff(*form), TIFF, MANY)


@pytest.mark.parametrize("form", [(1, 0), (1, 1), (8, 0), (8, 1), (16, 1)])
def test_samples_that_are_read_as_they_are_come_out_so(form: tuple[int, int]) -> None:
    still = PlainStill.open(grey_tiff(*form), TIFF, MANY)
    out = PlainStill.open(still.masked(solid(still.info.grid, None), nothing), TIFF, MANY)
    assert out.info.mode == still.info.mode
    np.testing.assert_array_equal(out.samples()[0], still.samples()[0])


@pytest.mark.parametrize("kind", [0, 1])
def test_alpha_that_is_none_or_multiplied_with_is_refused(kind: int) -> None:
    data = bytearray(encoded(scene().convert("RGBA"), "TIFF"))
    place = data.index(struct.pack("<HHI", 338, 3, 1))
    assert SampleTags.of(Image.open(io.BytesIO(bytes(data))).tag_v2).extra == (2,)
    data[place + 8] = kind
    with pytest.raises(UnsupportedFormatError):
        PlainStill.open(bytes(data), TIFF, MANY)


def test_signed_samples_are_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="signed"):
        SampleTags.of({258: (8,), 262: 1, 339: (2,)})


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_stays_alpha_and_is_opaque_under_a_mask(mode: str) -> None:
    image = scene().convert("RGBA")
    image.putalpha(scene().convert("L"))
    still = PlainStill.open(encoded(image.convert(mode), "TIFF"), TIFF, MANY)
    hiding = solid(still.info.grid, BOX)
    out = PlainStill.open(still.masked(hiding, nothing), TIFF, MANY)
    assert out.info.mode == still.info.mode and len(still.looks(9)) == 3
    assert (out.samples()[0][hiding.hidden][:, -1] == 255).all()
    np.testing.assert_array_equal(out.samples()[0][~hiding.hidden], still.samples()[0][~hiding.hidden])
