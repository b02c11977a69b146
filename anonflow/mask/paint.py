"""Painting shapes into the planes of a frame. Samples outside the shapes are not touched."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.mask.keep import KeepShape, kept_cells
from anonflow.mask.operators import OPERATORS
from anonflow.mask.shapes import Cells, MaskShape, covered_cells
from anonflow.storage import canonical_json
from anonflow.types import PlaneSet

_BLACK_LIMITED_RANGE = 16
_NEUTRAL_CHROMA = 128


def paint(frame: PlaneSet, shapes: Sequence[MaskShape], keep: Sequence[KeepShape] = ()) -> None:
    """Hide `shapes` in `frame`, in place, in the order given, but for the cells that lie wholly in a shape to keep.

    An alpha plane becomes opaque there: what was drawn with it is hidden, too. What is to be hidden even if kept
    is painted by a second call, without `keep`.
    """
    for shape in shapes:
        cells = covered_cells(shape, frame.chroma_shift_x, frame.chroma_shift_y)
        if keep:
            cells = cells & ~_kept_of(shape, tuple(keep), frame)
        _paint_plane(frame.planes[0], shape, cells, frame, is_luma=True)
        for plane in frame.planes[1:3]:
            _paint_plane(plane, shape, cells, frame, is_luma=False)
        for plane in frame.planes[3:]:
            region, where = _part(plane, shape, cells, frame, is_luma=True)
            region[where] = (1 << frame.bit_depth) - 1


def mask_digest(frame: PlaneSet, shapes: Sequence[MaskShape], keep: Sequence[KeepShape] = ()) -> str:
    """SHA-256 that is equal when the same shapes hide and keep the same picture, and tells nothing about either.

    Coordinates alone could be guessed from their hash. So the unmasked planes are the key: who could try
    coordinates has the picture already. Call it before `paint`.
    """
    key = hashlib.sha256(b"".join(plane.tobytes() for plane in frame.planes)).digest()
    record = canonical_json([[astuple(shape) for shape in part] for part in (shapes, keep)])
    return hmac.new(key, record.encode(), hashlib.sha256).hexdigest()


def _kept_of(shape: MaskShape, keep: tuple[KeepShape, ...], frame: PlaneSet) -> Cells:
    """Which chroma cells of the shape's region are kept."""
    shift_x, shift_y = frame.chroma_shift_x, frame.chroma_shift_y
    kept = kept_cells(keep, frame.width, frame.height, shift_x, shift_y)
    return kept[shape.y1 >> shift_y : -(-shape.y2 >> shift_y), shape.x1 >> shift_x : -(-shape.x2 >> shift_x)]


def _paint_plane(plane: NDArray[Any], shape: MaskShape, cells: Cells, frame: PlaneSet, *, is_luma: bool) -> None:
    shift_x, shift_y = (0, 0) if is_luma else (frame.chroma_shift_x, frame.chroma_shift_y)
    region, where = _part(plane, shape, cells, frame, is_luma=is_luma)
    strength_x, strength_y = shape.strength_px / (1 << shift_x), shape.strength_px / (1 << shift_y)
    hidden = OPERATORS[shape.operator](region, _fill(frame, is_luma=is_luma), strength_x, strength_y)
    if cells.all():
        region[:] = hidden
    else:
        np.copyto(region, hidden, where=where)


def _part(
    plane: NDArray[Any], shape: MaskShape, cells: Cells, frame: PlaneSet, *, is_luma: bool
) -> tuple[NDArray[Any], Cells]:
    """The shape's rectangle of a plane, and which samples of it the cells cover."""
    shift_x, shift_y = (0, 0) if is_luma else (frame.chroma_shift_x, frame.chroma_shift_y)
    rows = slice(shape.y1 >> shift_y, -(-shape.y2 >> shift_y))
    columns = slice(shape.x1 >> shift_x, -(-shape.x2 >> shift_x))
    region = plane[rows, columns]
    if is_luma:
        cells = cells.repeat(1 << frame.chroma_shift_y, 0).repeat(1 << frame.chroma_shift_x, 1)
    return region, cells[: region.shape[0], : region.shape[1]]


def _fill(frame: PlaneSet, *, is_luma: bool) -> int:
    if not is_luma:
        return _NEUTRAL_CHROMA << (frame.bit_depth - 8)
    return 0 if frame.full_range else _BLACK_LIMITED_RANGE << (frame.bit_depth - 8)
