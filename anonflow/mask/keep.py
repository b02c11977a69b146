"""Parts of a frame that stay as they are: chroma cells that lie wholly in a region, so rounded inward."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from anonflow.mask.polygon import enclosed_cells
from anonflow.mask.shapes import Cells, Points


@dataclass(frozen=True)
class KeepShape:
    """A region to keep: luma pixels `x1 <= x < x2`, `y1 <= y < y2`, on the chroma grid; all of it, or a polygon.

    The polygon of `points` is in luma pixels of the picture; of the box it is only what lies in both.
    """

    x1: int
    y1: int
    x2: int
    y2: int
    points: Points = ()


@lru_cache(maxsize=8)
def kept_cells(keep: tuple[KeepShape, ...], width: int, height: int, shift_x: int, shift_y: int) -> Cells:
    """Which chroma cells of a picture of `width` x `height` px are kept, (rows, columns) bool, read-only.

    Cached, because regions that somebody drew stay the same from frame to frame.
    """
    cells = np.zeros((-(-height >> shift_y), -(-width >> shift_x)), np.bool_)
    for shape in keep:
        rows = slice(shape.y1 >> shift_y, -(-shape.y2 >> shift_y))
        columns = slice(shape.x1 >> shift_x, -(-shape.x2 >> shift_x))
        within = cells[rows, columns]
        within |= _enclosed(shape, within.shape, shift_x, shift_y)
    cells.flags.writeable = False
    return cells


def inward(low: float, high: float, limit: int, shift: int) -> tuple[int, int]:
    """The cells of `1 << shift` pixels that lie wholly in a span of a side of `limit` pixels; `(0, 0)` if none."""
    start = math.ceil(max(low, 0.0) / (1 << shift)) << shift
    # The last cell of an odd side ends with the picture.
    stop = limit if high >= limit else math.floor(max(high, 0.0) / (1 << shift)) << shift
    return (start, stop) if start < stop else (0, 0)


def _enclosed(shape: KeepShape, size: tuple[int, ...], shift_x: int, shift_y: int) -> Cells:
    rows, columns = size
    if not shape.points:
        return np.ones((rows, columns), np.bool_)
    corners = (np.array(shape.points) - (shape.x1, shape.y1)) / (1 << shift_x, 1 << shift_y)
    return enclosed_cells(corners, rows, columns)
