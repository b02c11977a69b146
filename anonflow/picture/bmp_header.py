"""The header of a BMP file: the bits a pixel, and the resolution, which Pillow rounds or makes up."""

from __future__ import annotations

import struct

from anonflow.errors import DamagedPictureError, UnsupportedFormatError

_HEADER_AT, _COLOUR_AT = 14, 70
_CORE_BYTES, _INFO_BYTES, _V5_BYTES = 12, 40, 124
_RESOLUTION = slice(38, 46)
_EXACT = ((1, "1"), (8, "L"), (8, "P"), (24, "RGB"))


def bits_of(data: bytes) -> int:
    """Bits a pixel."""
    at = 24 if _header_bytes(data) == _CORE_BYTES else 28
    if len(data) < at + 2:
        raise DamagedPictureError("The BMP file is truncated. Copy it again from where it came.")
    return int.from_bytes(data[at : at + 2], "little")


def require_exact(data: bytes, mode: str) -> None:
    """Raise UnsupportedFormatError unless Pillow's `mode` holds the pixels as they are, and writes them so."""
    has_profile = _header_bytes(data) >= _V5_BYTES and data[_COLOUR_AT : _COLOUR_AT + 4] in (b"DEBM", b"KNIL")
    if has_profile or (bits_of(data), mode) not in _EXACT:
        raise UnsupportedFormatError(
            f"BMP with {bits_of(data)} bits a pixel in mode {mode}, or with a colour profile, is not supported: "
            "use PNG."
        )


def resolution(data: bytes) -> bytes:
    """Pixels a metre in both directions, as they are in the file; zeros where it has none."""
    return data[_RESOLUTION] if _header_bytes(data) >= _INFO_BYTES else bytes(8)


def with_resolution(data: bytes, pixels: bytes) -> bytes:
    """A file with a header of 40 bytes, as Pillow writes them, with that resolution."""
    return data[: _RESOLUTION.start] + pixels + data[_RESOLUTION.stop :]


def _header_bytes(data: bytes) -> int:
    return int(struct.unpack_from("<I", data.ljust(_HEADER_AT + 4, b"\0"), _HEADER_AT)[0])
