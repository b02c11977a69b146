"""From whole tracks to the mask plan, piece by piece: operators in their order, then margins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.track.association import Mask
from anonflow.track.operators import Operator, View
from anonflow.types import IntArray, MaskPlan, Tracks


def stabilise(
    tracks: Tracks, operators: Sequence[Operator], view: View, start_frame: int, stop_frame: int
) -> Tracks:
    """All points to hide in the frames `start_frame..stop_frame`, equal to that part of the whole video's.

    Only the points within the operators' reach of these frames are looked at; `view.facts` tell of whole tracks.
    """
    if start_frame >= stop_frame:
        return Tracks.empty()
    first, last = start_frame, stop_frame - 1
    for operator in reversed(operators):
        first, last = operator.reach.first(first, view.timeline), operator.reach.last(last, view.timeline)
    points = tracks.between(first, last + 1)
    for operator in operators:
        points = operator.apply(points, view)
    return points.between(start_frame, stop_frame)


def mask_plan(points: Tracks, margins: Sequence[float], width: int, height: int) -> MaskPlan:
    """Boxes to hide in a picture of `width` x `height` px.

    Each box grows by its label's margin on every side (a share of its width or height; `margins` by label code)
    and is clipped to the picture; one that is empty then is dropped. Sorted by frame, label and coordinates, each
    box once: what tracks are called cannot be seen.
    """
    xyxy = points.xyxy.astype(np.float64)
    margin = np.asarray(margins, np.float64)[points.labels][:, None] * (xyxy[:, 2:] - xyxy[:, :2])
    grown = np.concatenate((xyxy[:, :2] - margin, xyxy[:, 2:] + margin), axis=1)
    clipped = np.clip(grown, 0, (width, height, width, height)).astype(np.float32)
    kept = np.flatnonzero((clipped[:, 2:] > clipped[:, :2]).all(axis=1))
    plan = MaskPlan(points.frames, clipped, points.labels)[kept]
    order, is_new = _sorted_rows(plan.frames, plan.labels, *plan.xyxy.T)
    return plan[order[is_new]]


def _sorted_rows(*columns: NDArray[Any]) -> tuple[IntArray, Mask]:
    """The order that sorts rows by the columns, first one first, and which sorted rows differ from the last."""
    order = np.lexsort(columns[::-1])
    is_new = np.zeros(len(order), np.bool_)
    is_new[:1] = True
    for column in columns:
        is_new[1:] |= column[order[1:]] != column[order[:-1]]
    return order, is_new
