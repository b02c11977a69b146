"""Masking a JPEG: blocks that a mask touches are decoded, painted and quantised again with the file's own tables.

All other coefficients stay as they are, bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.errors import UnsupportedFormatError
from anonflow.picture.coefficients import Blocks, Coefficients, read_coefficients, write_coefficients
from anonflow.picture.hiding import Grid, Hiding
from anonflow.picture.jpeg_file import JpegFile
from anonflow.types import PlaneSet

_SIDE = 8
_LARGEST = 1023
"""Of a quantised coefficient in 8-bit JPEG (ITU-T T.81, F.1.1)."""


def _basis() -> NDArray[np.float32]:
    """The 8-point DCT-II, orthonormal: rows are frequencies."""
    frequency, place = np.mgrid[:_SIDE, :_SIDE]
    matrix = np.cos((2 * place + 1) * frequency * np.pi / (2 * _SIDE)) * np.sqrt(2 / _SIDE)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


_BASIS = _basis()


def grid(jpeg: JpegFile) -> Grid:
    """The size of the picture and its chroma grid."""
    frame = jpeg.frame
    if jpeg.colour_model in ("CMYK", "YCCK"):
        return Grid(frame.width, frame.height)
    first, *others = (frame.shifts(n) for n in range(len(frame.components)))
    if first != (0, 0) or len(set(others)) > 1 or (any(map(any, others)) and jpeg.colour_model != "YCbCr"):
        raise UnsupportedFormatError("JPEG with unusual chroma subsampling: save it as 4:2:0 or 4:4:4.")
    return Grid(frame.width, frame.height, *(others or [first])[0])


def mask_jpeg(jpeg: JpegFile, hiding: Hiding) -> JpegFile:
    """The picture with masks, written again even if there is nothing to hide.

    Entropy-coded data can go on after the last block that the header announces; only coefficients come out.

    Raises:
        UnsupportedFormatError: four components (CMYK).
        DamagedPictureError: it cannot be decoded.
    """
    if jpeg.colour_model in ("CMYK", "YCCK"):
        raise UnsupportedFormatError("CMYK JPEG cannot be written: convert the picture to RGB and run again.")
    form = grid(jpeg)
    given = read_coefficients(jpeg)
    if hiding.is_empty:
        return write_coefficients(jpeg, given.blocks)
    shifts = [jpeg.frame.shifts(n) for n in range(len(given.blocks))]
    planes = [_decoded(given, n, shift, hiding) for n, shift in enumerate(shifts)]
    visible = tuple(
        plane[: -(-form.height >> y), : -(-form.width >> x)] for plane, (x, y) in zip(planes, shifts, strict=True)
    )
    if jpeg.colour_model == "YCbCr":
        hiding.paint(PlaneSet(visible, form.shift_x, form.shift_y, 8, full_range=True))
    else:
        for plane in visible:
            hiding.paint(PlaneSet((plane,), 0, 0, 8, full_range=True))
    blocks = []
    for n, (plane, seen, shift) in enumerate(zip(planes, visible, shifts, strict=True)):
        _fill_beyond(plane, *seen.shape)
        blocks.append(_encoded(given, n, plane, touched_blocks(hiding.hidden, given.blocks[n].shape[:2], shift)))
    return write_coefficients(jpeg, tuple(blocks))


def touched_blocks(hidden: NDArray[np.bool_], size: tuple[int, ...], shift: tuple[int, int]) -> NDArray[np.bool_]:
    """Which blocks (rows, columns) of a component have a hidden px (h, w) in them."""
    (rows, columns), (shift_x, shift_y) = size, shift
    high, wide = _SIDE << shift_y, _SIDE << shift_x
    whole = np.zeros((rows * high, columns * wide), np.bool_)
    part = hidden[: rows * high, : columns * wide]
    whole[: part.shape[0], : part.shape[1]] = part
    return np.asarray(whole.reshape(rows, high, columns, wide).any(axis=(1, 3)), np.bool_)


def _decoded(given: Coefficients, number: int, shift: tuple[int, int], hiding: Hiding) -> NDArray[np.uint8]:
    """The samples of a component in whole blocks; only those of blocks in the shapes' boxes are there."""
    blocks, table = given.blocks[number], given.tables[number]
    rows, columns = blocks.shape[:2]
    wanted = np.zeros((rows, columns), np.bool_)
    for x1, y1, x2, y2 in hiding.boxes:
        high, wide = _SIDE << shift[1], _SIDE << shift[0]
        wanted[y1 // high : -(-y2 // high), x1 // wide : -(-x2 // wide)] = True
    samples = np.zeros((rows, columns, _SIDE, _SIDE), np.uint8)
    values = _BASIS.T @ (blocks[wanted] * table) @ _BASIS + 128
    samples[wanted] = np.clip(np.rint(values), 0, 255)
    return np.ascontiguousarray(samples.swapaxes(1, 2)).reshape(rows * _SIDE, columns * _SIDE)


def _encoded(given: Coefficients, number: int, plane: NDArray[np.uint8], touched: NDArray[np.bool_]) -> Blocks:
    """The component's coefficients, anew in the touched blocks."""
    rows, columns = touched.shape
    samples = plane.reshape(rows, _SIDE, columns, _SIDE).swapaxes(1, 2)[touched].astype(np.float32) - 128
    values = np.rint(_BASIS @ samples @ _BASIS.T / np.maximum(given.tables[number], 1))
    blocks = given.blocks[number].copy()
    blocks[touched] = np.clip(values, -_LARGEST, _LARGEST)
    return blocks


def _fill_beyond(plane: NDArray[Any], height: int, width: int) -> None:
    """Continue the last row and column into what lies beyond the picture, where masked content may go on unseen."""
    plane[:, width:] = plane[:, width - 1 : width]
    plane[height:] = plane[height - 1 : height]
