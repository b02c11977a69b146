"""From a file's bytes to a picture: what it is, is decided by its content, never by its name."""

from __future__ import annotations

import os

from anonflow.errors import NotAPictureError, PictureTooLargeError
from anonflow.picture.base import StillPicture
from anonflow.picture.jpeg_still import JpegStill
from anonflow.picture.plain_still import BMP, TIFF, PlainStill
from anonflow.picture.png_still import PngStill
from anonflow.picture.webp_still import WebpStill
from anonflow.storage import StoragePath, naming_source_errors

HEAD_BYTES = 16
"""So much of a file's beginning `kind_of` needs."""

_TIFF_STARTS = (b"II*\0", b"MM\0*")


def kind_of(head: bytes) -> str | None:
    """`JPEG`, `PNG`, `WEBP`, `TIFF` or `BMP` by the first bytes of a file; None for all else."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:4] in _TIFF_STARTS:
        return TIFF
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return BMP
    return None


def read_picture(path: StoragePath, max_bytes: int) -> bytes:
    """The bytes of a file, which may grow while it is read.

    Raises:
        PictureTooLargeError: there are more than `max_bytes`.
        SourceMissingError, SourceUnreadableError: it cannot be read.
    """
    with naming_source_errors(path), path.open("rb") as file:
        if file.seek(0, os.SEEK_END) <= max_bytes:
            file.seek(0)
            data: bytes = file.read(max_bytes + 1)
            if len(data) <= max_bytes:
                return data
    raise PictureTooLargeError(
        f"{path} has more bytes than picture.max_bytes={max_bytes}. Raise the limit if it is meant to be so large."
    )


def open_picture(data: bytes, max_pixels: int) -> StillPicture:
    """The picture of a file, its headers read.

    Raises:
        NotAPictureError: it is none of the known formats.
        DamagedPictureError: it is truncated or corrupt.
        PictureTooLargeError: it has more than `max_pixels`.
        UnsupportedFormatError: it is animated, has several pages, or samples that cannot be kept.
    """
    kind = kind_of(data[:HEAD_BYTES])
    if kind == "JPEG":
        return JpegStill.open(data, max_pixels)
    if kind == "PNG":
        return PngStill.open(data, max_pixels)
    if kind == "WEBP":
        return WebpStill.open(data, max_pixels)
    if kind is not None:
        return PlainStill.open(data, kind, max_pixels)
    raise NotAPictureError("The content is no JPEG, PNG, WebP, TIFF or BMP: convert it, or take it off the list.")
