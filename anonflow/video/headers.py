"""Codec headers that carry words of somebody: comments that sit where no metadata list looks."""

from __future__ import annotations

import struct

from anonflow.errors import UnsupportedFormatError

_N_VORBIS_HEADERS = 3
_NO_COMMENTS = b"\x03vorbis" + struct.pack("<II", 0, 0) + b"\x01"
"""Without a vendor, without a comment (Vorbis I, 5.2.1)."""


def without_comments(codec: str, extradata: bytes) -> bytes:
    """The header of a copied audio stream without its comments; the same bytes where it cannot have any.

    Raises:
        UnsupportedFormatError: a header that cannot be read, and so not cleaned.
    """
    if codec != "vorbis" or not extradata:
        return extradata
    identification, _, setup = _vorbis_headers(extradata)
    parts = (identification, _NO_COMMENTS)
    return bytes([len(parts)]) + b"".join(_laced(len(part)) for part in parts) + b"".join(parts) + setup


def comments(codec: str, extradata: bytes) -> bytes:
    """What a header holds of comments, to check that it is nothing.

    Raises UnsupportedFormatError as `without_comments` does.
    """
    if codec != "vorbis" or not extradata:
        return b""
    _, comment, _ = _vorbis_headers(extradata)
    return b"" if comment == _NO_COMMENTS else comment


def _vorbis_headers(extradata: bytes) -> tuple[bytes, bytes, bytes]:
    """Identification, comments and setup, with Xiph's lacing (RFC 9559, 5.1.4.1.21) or 16-bit lengths."""
    if extradata[0] == _N_VORBIS_HEADERS - 1:
        sizes: list[int] = []
        at = 1
        while len(sizes) < _N_VORBIS_HEADERS - 1 and at < len(extradata):
            size = 0
            while at < len(extradata) and extradata[at] == 255:
                size, at = size + 255, at + 1
            sizes.append(size + int.from_bytes(extradata[at : at + 1], "big"))
            at += 1
        first, second = (*sizes, 0, 0)[:2]
        rest = extradata[at:]
        headers = rest[:first], rest[first : first + second], rest[first + second :]
    else:
        headers = _with_lengths(extradata)
    kinds = [header[:7] for header in headers]
    if kinds != [b"\x01vorbis", b"\x03vorbis", b"\x05vorbis"]:
        raise UnsupportedFormatError(
            "Its Vorbis sound has a header that cannot be read and may hold comments: use audio=drop for it, or "
            "encode the sound again, for example with `ffmpeg -i IN -c copy -c:a aac OUT.mkv`."
        )
    return headers


def _with_lengths(extradata: bytes) -> tuple[bytes, bytes, bytes]:
    found, at = [], 0
    for _ in range(_N_VORBIS_HEADERS):
        size = int.from_bytes(extradata[at : at + 2], "big")
        found.append(extradata[at + 2 : at + 2 + size])
        at += 2 + size
    return found[0], found[1], found[2]


def _laced(size: int) -> bytes:
    return b"\xff" * (size // 255) + bytes([size % 255])
