"""Which box belongs to which track: rounds of one-to-one pairing, each among what the rounds before left over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anonflow.track.appearance import Looks, distances
from anonflow.track.params import AppearanceParams, TrackerParams
from anonflow.track.state import TrackerState
from anonflow.track.timeline import Reals, Timeline
from anonflow.types import IntArray, Observations

Mask = NDArray[np.bool_]

UNTRACKED = -1
_CHI_SQUARED_95 = 9.4877
"""95 % quantile for four degrees of freedom: the gate of Wojke et al."""
_SIZE_RATIO = 2.0
_NO_AREA = 1e-12
_NO_OVERLAP = 5e-324
"""Boxes that do not overlap are no pair, whatever the least overlap is."""
_MAX_SIDES = 1.5
"""The last round looks no further than this many box sides away, however long the object was out of sight."""


def associate(
    state: TrackerState,
    seen: Observations,
    boxes: Reals,
    frame: int,
    timeline: Timeline,
    params: TrackerParams,
    looks: Looks | None = None,
) -> IntArray:
    """The row in the predicted `state` (n,) of each detection's track, `UNTRACKED` for none.

    `boxes` are those of `seen`, on the grid. Rounds: by looks (DeepSORT), strong detections by overlap (all
    trackers), weak ones by overlap (ByteTrack), and strong ones near a track that went by too fast to overlap.
    """
    rounds = _Rounds(len(state), len(seen))
    if not len(state) or not len(seen):
        return rounds.track_rows
    iou = overlaps(state.boxes, boxes)
    same = state.labels[:, None] == seen.labels
    strong = same & seen.high
    if params.appearance and looks:
        _cascade(state, seen, boxes, frame, params.appearance, params.min_hits, looks, strong, rounds)
    rounds.play(iou, (iou >= max(params.high_match_iou, _NO_OVERLAP)) & strong)
    if params.low_match_iou is not None and rounds.has_left(weak := ~seen.high):
        rounds.play(iou, (iou >= max(params.low_match_iou, _NO_OVERLAP)) & same & weak)
    if params.max_speed_sides_per_s and rounds.has_left(seen.high):
        unseen_s = timeline.times_s[frame] - timeline.times_s[state.last_frames]
        near = _nearness(state, boxes, unseen_s, params.max_speed_sides_per_s)
        rounds.play(near, (near > 0) & strong)
    return rounds.track_rows


class _Rounds:
    """Pairs found so far: each track and each detection is in one at most."""

    def __init__(self, n_tracks: int, n_seen: int) -> None:
        self.track_rows = np.zeros(n_seen, np.int64)
        self.track_rows += UNTRACKED
        self._is_taken = np.zeros(n_tracks, np.bool_)
        self._is_found = np.zeros(n_seen, np.bool_)
        self._n_free = n_tracks

    def play(self, scores: Reals, allowed: Mask) -> None:
        """Pair what is left, as `pair` does."""
        if self._n_free < len(self._is_taken):
            allowed = allowed & ~(self._is_taken[:, None] | self._is_found)
        rows, columns = pair(scores, allowed)
        self.track_rows[columns] = rows
        self._is_taken[rows] = True
        self._is_found[columns] = True
        self._n_free -= len(rows)

    def has_left(self, wanted: Mask) -> bool:
        """Whether there are tracks left, and detections that are `wanted` (m,)."""
        return bool(self._n_free and np.count_nonzero(wanted & ~self._is_found))


def _cascade(
    state: TrackerState,
    seen: Observations,
    boxes: Reals,
    frame: int,
    appearance: AppearanceParams,
    min_hits: int,
    looks: Looks,
    allowed: Mask,
    rounds: _Rounds,
) -> None:
    """Confirmed tracks by looks, those seen last first, within reach of their motion."""
    if not allowed.any():
        return
    distance = distances(state.gallery, seen, frame, looks)
    alike = distance <= appearance.max_cosine_distance
    within = _mahalanobis(state, boxes) <= _CHI_SQUARED_95
    allowed = allowed & alike & within & (state.hits >= min_hits)[:, None]
    for last_frame in np.unique(state.last_frames)[::-1]:
        rounds.play(2.0 - distance, allowed & (state.last_frames == last_frame)[:, None])


def _mahalanobis(state: TrackerState, boxes: Reals) -> Reals:
    """Squared distance (n, m) between predicted and seen corners, in standard deviations of the motion model."""
    heights = np.maximum(state.boxes[:, 3] - state.boxes[:, 1], 1.0)
    variance = (heights / 20.0) ** 2 * (state.covariances[:, 0] + 1.0)
    squared: Reals = ((state.boxes[:, None] - boxes) ** 2).sum(axis=2) / variance[:, None]
    return squared


def _nearness(state: TrackerState, boxes: Reals, unseen_s: Reals, max_speed_sides_per_s: float) -> Reals:
    """1 for a box at the predicted place, falling to 0 where the object could not have got to; (n, m)."""
    predicted = state.boxes
    centres = (predicted[:, :2] + predicted[:, 2:])[:, None] / 2
    sides = np.maximum(predicted[:, 2:] - predicted[:, :2], 1.0)[:, None]
    apart = np.abs((boxes[:, :2] + boxes[:, 2:]) / 2 - centres) / sides
    ratio = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0) / sides
    reach = np.minimum(max_speed_sides_per_s * unseen_s, _MAX_SIDES)[:, None]
    alike = ((ratio <= _SIZE_RATIO) & (ratio >= 1 / _SIZE_RATIO)).all(axis=2)
    near: Reals = np.where(alike, np.maximum(0.0, 1.0 - apart.max(axis=2) / reach), 0.0)
    return near


def overlaps(first: Reals, second: Reals) -> Reals:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4) in px; 0 for boxes without area."""
    low, high = first.T[:2, :, None], first.T[2:, :, None]
    other_low, other_high = second.T[:2, None], second.T[2:, None]
    sides = np.minimum(high, other_high)
    sides -= np.maximum(low, other_low)
    np.maximum(sides, 0.0, out=sides)
    shared: Reals = sides[0] * sides[1]
    own, other = high - low, other_high - other_low
    union = own[0] * own[1] + other[0] * other[1]
    union -= shared
    np.maximum(union, _NO_AREA, out=union)
    shared /= union
    return shared


def pair(scores: Reals, allowed: Mask) -> tuple[IntArray, IntArray]:
    """Rows, ascending, and columns of the pairing with the largest sum of `scores` (n, m) among `allowed` pairs.

    Most pictures need no search: where no box and no track has two candidates, all candidates are the pairing.
    """
    rows, columns = allowed.nonzero()
    if _all_distinct(rows) and _all_distinct(columns):
        return rows, columns
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415  # half a second that most workers never need

    rows, columns = linear_sum_assignment(np.where(allowed, scores, 0.0), maximize=True)
    kept = allowed[rows, columns]
    return rows[kept], columns[kept]


def _all_distinct(indices: IntArray) -> bool:
    return len(set(indices.tolist())) == len(indices)
