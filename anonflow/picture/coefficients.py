"""The DCT coefficients of a JPEG file, read and written without loss. The only door to jpeglib.

Its functions take file names; the files given to them lie in memory only, so that nothing unmasked is written.
libjpeg-turbo reads and writes; mozjpeg writes progressive files, which the former does not through this library.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jpeglib
import numpy as np
from jpeglib._bind import CJpegLib
from numpy.typing import NDArray

from anonflow.errors import DamagedPictureError, EncodeError
from anonflow.picture.jpeg_file import Frame, JpegFile

Blocks = NDArray[np.int16]
"""(rows, columns, 8, 8)."""

_READER, _WRITER, _PROGRESSIVE_WRITER = "turbo210", "turbo210", "mozjpeg403"
_COLOUR_SPACES = {"grey": 1, "RGB": 2, "YCbCr": 3}
_MAX_COMPONENTS, _BLOCK = 4, 64
_CHANGED_COMPONENTS = 3
"""jpeglib writes the coefficients of so many components, and copies the rest."""


@dataclass(frozen=True, eq=False)
class Coefficients:
    """By component: quantised coefficients, and the quantisation table (8, 8) that they are in."""

    blocks: tuple[Blocks, ...]
    tables: tuple[NDArray[np.float32], ...]


def read_coefficients(jpeg: JpegFile) -> Coefficients:
    """All coefficients of a picture that another decoder has found sound.

    For others it may end the process: where an error in a header ends the reading, jpeglib closes a file that it
    has not opened yet.

    Raises:
        DamagedPictureError: the entropy-coded data cannot be decoded.
    """
    frame = jpeg.frame
    arrays = [np.zeros((*frame.blocks(n), 8, 8), np.int16) for n in range(len(frame.components))]
    tables = np.zeros((_MAX_COMPONENTS, 8, 8), np.uint16)
    numbers = np.zeros(_MAX_COMPONENTS, np.int16)
    jpeglib.version.set(_READER)
    with _in_memory(jpeg.core()) as path:
        status = CJpegLib.get().read_jpeg_dct(
            CJpegLib.cstr(path), *_four(arrays), _pointer(tables), _pointer(numbers)
        )
    if not status:
        raise DamagedPictureError("The JPEG data cannot be decoded. Copy the file again from where it came.")
    used = numbers[: len(arrays)]
    return Coefficients(tuple(arrays), tuple(tables[n].astype(np.float32) for n in used.tolist()))


def write_coefficients(jpeg: JpegFile, blocks: tuple[Blocks, ...]) -> JpegFile:
    """A file with the frame and the tables of `jpeg` and other coefficients.

    Raises:
        EncodeError: the coefficients cannot be written.
    """
    frame, n = jpeg.frame, len(blocks)
    if n > _CHANGED_COMPONENTS:
        raise EncodeError("JPEG with four components cannot be written with other coefficients.")
    jpeglib.version.set(_PROGRESSIVE_WRITER if frame.is_progressive else _WRITER)
    arrays = [np.ascontiguousarray(part, np.int16) for part in blocks]
    with _in_memory(jpeg.core()) as source, _in_memory(b"") as target:
        status = CJpegLib.get().write_jpeg_dct(
            CJpegLib.cstr(source),
            CJpegLib.cstr(target),
            *_four(arrays),
            (ctypes.c_int * 2)(frame.height, frame.width),
            None,
            None,
            _COLOUR_SPACES[jpeg.colour_model],
            n,
            None,
            -1,
            None,
            0,
            None,
            None,
            None,
            *CJpegLib.flags_to_mask(["+OPTIMIZE_CODING"]),
        )
        written = Path(target).read_bytes()
    if not status:
        raise EncodeError("The masked JPEG could not be written. Convert the picture to PNG and run again.")
    made = JpegFile.parse(written)
    _require_same_frame(frame, made.frame)
    return made


def _require_same_frame(frame: Frame, made: Frame) -> None:
    if frame != made:
        raise EncodeError("The masked JPEG got another frame header. Convert the picture to PNG and run again.")


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """The path of a file that has no name and no place on a disk, and ends with this process at the latest."""
    number = os.memfd_create("picture")
    try:
        with os.fdopen(os.dup(number), "wb") as file:
            file.write(content)
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)


def _four(arrays: list[Blocks]) -> list[Any]:
    return [_pointer(array) for array in arrays] + [None] * (_MAX_COMPONENTS - len(arrays))


def _pointer(array: NDArray[Any]) -> Any:
    return ctypes.c_void_p(array.ctypes.data)
