"""Non-maximum suppression: of boxes that overlap, the one with the highest score stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anonflow.types import Boxes, FloatArray, IntArray


def suppress(boxes: Boxes, max_iou: float) -> Boxes:
    """Rows of `boxes` that overlap no better row of their class by more than `max_iou`; highest score first.

    Deterministic: equal scores keep their order. Boxes must be finite.
    """
    best_first = boxes[np.argsort(-boxes.scores, kind="stable")]
    return best_first[_survivors(best_first.xyxy, best_first.classes, max_iou)]


def _survivors(xyxy: FloatArray, classes: NDArray[np.int16], max_iou: float) -> IntArray:
    """Positions that stay, of boxes sorted by score."""
    kept: list[int] = []
    waiting = np.arange(len(xyxy))
    while len(waiting):
        best, rest = waiting[0], waiting[1:]
        kept.append(int(best))
        overlaps = (iou(xyxy[best], xyxy[rest]) > max_iou) & (classes[rest] == classes[best])
        waiting = rest[~overlaps]
    return np.asarray(kept, np.int64)


def iou(box: FloatArray, others: FloatArray) -> FloatArray:
    """Intersection over union of one box (4,) with others (n, 4); 0 where both are without area."""
    corners = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = np.prod(np.maximum(corners, 0), axis=1)
    union = _area(box) + _area(others) - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))


def _area(xyxy: FloatArray) -> FloatArray:
    sides = np.maximum(xyxy[..., 2:] - xyxy[..., :2], 0)
    return np.asarray(sides[..., 0] * sides[..., 1])
