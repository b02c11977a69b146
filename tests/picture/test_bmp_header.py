from __future__ import annotations

import struct

import numpy as np
import pytest

from anonflow.errors import UnsupportedFormatError
from anonflow.picture.bmp_header import bits_of, resolution, with_resolution
from anonflow.picture.contract import inspect
from anonflow.picture.plain_still import BMP, PlainStill
from anonflow.types import Verdict
from tests.pictures import nothing, solid

MANY = 10**6


def bmp(bits: int, pixels_a_metre: int) -> bytes:
    body = bytes(range(16)) * bits if bits < 8 else bytes(range(4 * 4 * bits // 8))
    header = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, bits, 0, len(body), pixels_a_metre, pixels_a_metre, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + header + body


@pytest.mark.parametrize("pixels_a_metre", [0, 2834, 2835, 3780, 3937, 11811])
def test_the_resolution_stays_to_the_last_digit(pixels_a_metre: int) -> None:
    still = PlainStill.open(bmp(24, pixels_a_metre), BMP, MANY)
    for box in (None, (0, 0, 2, 2)):
        hiding = solid(still.info.grid, box)
        out = still.masked(hiding, nothing)
        assert resolution(out) == struct.pack("<ii", pixels_a_metre, pixels_a_metre)
        broken = [c for c in inspect(still, out, hiding.hidden, nothing) if c.verdict is Verdict.BROKEN]
        assert broken == []


@pytest.mark.parametrize("bits", [4, 16, 32])
def test_pixels_that_would_come_out_as_others_are_refused(bits: int) -> None:
    with pytest.raises(UnsupportedFormatError, match="bits"):
        PlainStill.open(bmp(bits, 0) if bits != 4 else coarse(), BMP, MANY)


def coarse() -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 4, 0, 16, 0, 0, 16, 0)
    return b"BM" + struct.pack("<IHHI", 134, 0, 0, 118) + header + bytes(range(64)) + bytes(16)


def test_old_headers_have_no_resolution() -> None:
    body = np.arange(48, dtype=np.uint8).tobytes()
    data = b"BM" + struct.pack("<IHHI", 26 + 48, 0, 0, 26) + struct.pack("<IHHHH", 12, 4, 4, 1, 24) + body
    still = PlainStill.open(data, BMP, MANY)
    assert bits_of(data) == 24 and resolution(data) == bytes(8)
    out = still.masked(solid(still.info.grid, None), nothing)
    assert PlainStill.open(out, BMP, MANY).info.mode == still.info.mode
    np.testing.assert_array_equal(PlainStill.open(out, BMP, MANY).samples()[0], still.samples()[0])
    assert resolution(with_resolution(out, b"12345678")) == b"12345678"
