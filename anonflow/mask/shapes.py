"""From the boxes of a mask plan to the regions of a frame: whole pixels, rounded outward to the chroma grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anonflow.config import MaskStyle
from anonflow.mask.polygon import touched_cells
from anonflow.types import MaskPlan, PlaneSet

Cells = NDArray[np.bool_]
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class MaskShape:
    """A region to hide: luma pixels `x1 <= x < x2`, `y1 <= y < y2`, on the chroma grid.

    `strength_px` is the mosaic's cell or the Gaussian's sigma in luma pixels, 0 for `solid`. The outline is a
    `box`, the `ellipse` in it, or of the `polygon` of `points` (luma pixels of the picture) what lies in it.
    """

    operator: str
    outline: str
    x1: int
    y1: int
    x2: int
    y2: int
    strength_px: int
    points: Points = ()


def mask_shapes(plan: MaskPlan, styles: Sequence[MaskStyle], frame: PlaneSet) -> tuple[MaskShape, ...]:
    """The shapes of one frame's plan rows; `styles` are by label code.

    The order does not depend on the plan's order, and solid fills come last so that nothing is drawn over them.
    """
    shapes = {
        shape
        for box, label in zip(plan.xyxy, plan.labels, strict=True)
        if (shape := _shape(box.tolist(), styles[int(label)], frame)) is not None
    }
    return tuple(sorted(shapes, key=_paint_order))


def covered_cells(shape: MaskShape, shift_x: int, shift_y: int) -> Cells:
    """Which chroma cells of the shape's region are hidden, (rows, columns) bool.

    A cell that the outline touches is hidden whole, luma and chroma, so that no pixel keeps half of its colour.
    """
    width, height = shape.x2 - shape.x1, shape.y2 - shape.y1
    if shape.outline == "box":
        return np.ones((-(-height >> shift_y), -(-width >> shift_x)), np.bool_)
    if shape.outline == "polygon":
        return _polygon_cells(shape, shift_x, shift_y)
    x = _nearest_to_centre(width, 1 << shift_x) / (width / 2)
    y = _nearest_to_centre(height, 1 << shift_y) / (height / 2)
    return (y[:, None] ** 2 + x[None, :] ** 2) <= 1.0


@lru_cache(maxsize=64)
def _polygon_cells(shape: MaskShape, shift_x: int, shift_y: int) -> Cells:
    """Kept, because a polygon is drawn by hand and stays the same from frame to frame."""
    corners = (np.array(shape.points) - (shape.x1, shape.y1)) / (1 << shift_x, 1 << shift_y)
    cells = touched_cells(corners, -(-(shape.y2 - shape.y1) >> shift_y), -(-(shape.x2 - shape.x1) >> shift_x))
    cells.flags.writeable = False
    return cells


def _nearest_to_centre(length: int, cell: int) -> NDArray[np.float64]:
    """Distance from the centre of a span to the closest point of each of its cells, in pixels."""
    starts = np.arange(0, length, cell, dtype=np.float64) - length / 2
    return np.maximum(0.0, np.maximum(starts, -(starts + cell)))


def _shape(box: list[float], style: MaskStyle, frame: PlaneSet) -> MaskShape | None:
    x1, x2 = outward(box[0], box[2], frame.width, frame.chroma_shift_x)
    y1, y2 = outward(box[1], box[3], frame.height, frame.chroma_shift_y)
    if x2 <= x1 or y2 <= y1:
        return None
    return MaskShape(style.operator, style.shape, x1, y1, x2, y2, _strength_px(style, max(x2 - x1, y2 - y1)))


def outward(low: float, high: float, limit: int, shift: int) -> tuple[int, int]:
    """The cells of `1 << shift` pixels that a span of a side of `limit` pixels overlaps; `(0, 0)` if none."""
    if high <= 0 or low >= limit:
        return 0, 0
    start = (math.floor(max(low, 0.0)) >> shift) << shift
    stop = -(-math.ceil(min(high, limit)) >> shift) << shift
    return start, min(stop, limit)


def _strength_px(style: MaskStyle, side_px: int) -> int:
    if style.operator == "pixelate":
        return max(style.min_cell_px, math.ceil(side_px / style.cells))
    if style.operator == "blur":
        return math.ceil(max(style.min_sigma_px, style.sigma * side_px))
    return 0


def _paint_order(shape: MaskShape) -> tuple[bool, str, int, int, int, int, str, int]:
    return (
        shape.operator == "solid",
        shape.operator,
        shape.y1,
        shape.x1,
        shape.y2,
        shape.x2,
        shape.outline,
        shape.strength_px,
    )
