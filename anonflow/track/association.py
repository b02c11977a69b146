"""Which box belongs to which track: the best one-to-one pairing by overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from anonflow.track.kalman import Reals
from anonflow.types import IntArray

Mask = NDArray[np.bool_]


def overlaps(first: Reals, second: Reals) -> Reals:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4) in px; 0 for boxes without area."""
    low = np.maximum(first[:, None, :2], second[:, :2])
    sides = np.maximum(np.minimum(first[:, None, 2:], second[:, 2:]) - low, 0.0)
    shared = sides[..., 0] * sides[..., 1]
    union = _areas(first)[:, None] + _areas(second) - shared
    iou: Reals = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return iou


def _areas(boxes: Reals) -> Reals:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    areas: Reals = sides[:, 0] * sides[:, 1]
    return areas


def pair(iou: Reals, allowed: Mask) -> tuple[IntArray, IntArray]:
    """Rows and columns of the pairing with the largest sum of `iou` (n, m) among `allowed` pairs, rows ascending.

    Most pictures need no search: where no box and no track has two candidates, all candidates are the pairing.
    """
    rows, columns = np.nonzero(allowed)
    if _all_distinct(rows) and _all_distinct(columns):
        return rows, columns
    rows, columns = linear_sum_assignment(np.where(allowed, iou, 0.0), maximize=True)
    kept = allowed[rows, columns]
    return rows[kept], columns[kept]


def _all_distinct(indices: IntArray) -> bool:
    return len(set(indices.tolist())) == len(indices)
