"""Colour profiles (ICC.1:2022, 7.2): whether one is what it says, so that nothing else is copied in its name."""

from __future__ import annotations

import struct
import zlib

_HEADER_BYTES = 128
_SIGNATURE = slice(36, 40)
_MAX_BYTES = 16 << 20
BROKEN = "broken colour profile"
"""Name of what stands in the place of a profile and is none; it is left out."""


def cleaned(data: bytes) -> bytes:
    """The profile without what comes after its end; empty if its header is none."""
    if len(data) < _HEADER_BYTES or data[_SIGNATURE] != b"acsp":
        return b""
    (size,) = struct.unpack_from(">I", data)
    return data[:size] if _HEADER_BYTES <= size <= len(data) else b""


def inflated(data: bytes) -> bytes:
    """`cleaned` of a profile in zlib's format; empty if it cannot be decompressed or is larger than 16 MiB."""
    try:
        return cleaned(zlib.decompressobj().decompress(data, _MAX_BYTES))
    except zlib.error:
        return b""
