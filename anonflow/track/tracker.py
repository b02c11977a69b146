"""ByteTrack (Zhang et al., ECCV 2022) as a pure function from state and detections to state and names.

As in the paper, detections above a threshold are associated first, then weaker ones with the tracks that are
left. Where this differs, it is to hide more: tracks that were lost or are not yet confirmed take part in both
associations, every detection above the threshold that finds no track starts one, and a track's first detection
has its id already. Association never crosses labels.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from anonflow.track import kalman
from anonflow.track.association import Mask, overlaps, pair
from anonflow.track.kalman import Reals
from anonflow.track.params import TrackerParams
from anonflow.track.state import TrackerState
from anonflow.types import Detections, IntArray, Origin, Tracks

UNTRACKED = -1


def step(state: TrackerState, detections: Detections, params: TrackerParams) -> tuple[TrackerState, IntArray]:
    """The state after one more frame, and the track id (n,) of each of its detections, `UNTRACKED` for none.

    Deterministic to the bit; equal states under different names give equal results under those names.
    """
    if not len(state) and not len(detections):
        return state, np.zeros(0, np.int64)
    boxes = detections.xyxy.astype(np.float64)
    high = is_high(detections, params)
    predicted = _predict(state)
    track_rows = _associate(predicted, boxes, detections, high, params)
    born = np.flatnonzero(high & (track_rows == UNTRACKED))
    found = np.flatnonzero(track_rows != UNTRACKED)
    found_rows = track_rows[found]
    track_ids = np.full(len(detections), UNTRACKED, np.int64)
    track_ids[found] = predicted.track_ids[found_rows]
    seen = _update(predicted[found_rows], boxes[found], params)
    if len(born):
        births = _bear(predicted.next_id, boxes[born], detections.labels[born])
        track_ids[born] = births.track_ids
        seen = seen.then(births)[np.argsort(np.concatenate((found, born)))]
    return seen.then(_survivors(predicted, found_rows, params)), track_ids


def run(
    state: TrackerState, detections: Detections, start_frame: int, stop_frame: int, params: TrackerParams
) -> tuple[TrackerState, Tracks]:
    """The state after the frames `start_frame..stop_frame`, and the points found in them."""
    bounds = np.searchsorted(detections.frames, np.arange(start_frame, stop_frame + 1)).tolist()
    parts = [np.zeros(0, np.int64)]
    for first, last in pairwise(bounds):
        state, track_ids = step(state, detections[first:last], params)
        parts.append(track_ids)
    return state, points(detections[bounds[0] : bounds[-1]], np.concatenate(parts), params)


def one_pass(detections: Detections, n_frames: int, params: TrackerParams) -> Tracks:
    """The tracks of a whole video: the definition that every parallel way must equal."""
    return run(TrackerState.empty(), detections, 0, n_frames, params)[1]


def points(detections: Detections, track_ids: IntArray, params: TrackerParams) -> Tracks:
    """The detections that have a track, as its points: raw boxes, sorted by frame then id."""
    origins = np.where(is_high(detections, params), Origin.DETECTED, Origin.LOW).astype(np.uint8)
    d = detections
    rows = np.flatnonzero(track_ids != UNTRACKED)
    return sorted_points(Tracks(d.frames, track_ids, d.xyxy, d.scores, d.labels, origins)[rows])


def sorted_points(tracks: Tracks) -> Tracks:
    """The points sorted by frame then id."""
    return tracks[np.lexsort((tracks.track_ids, tracks.frames))]


def is_high(detections: Detections, params: TrackerParams) -> Mask:
    """Which detections (n,) reach their label's threshold."""
    reached: Mask = detections.scores >= params.thresholds[detections.labels]
    return reached


def _predict(state: TrackerState) -> TrackerState:
    means, covariances = kalman.predict(state.means, state.covariances)
    return TrackerState(
        state.track_ids,
        state.labels,
        means,
        covariances,
        state.hits,
        state.frames_since_update + 1,
        state.next_id,
    )


def _associate(
    state: TrackerState, boxes: Reals, detections: Detections, high: Mask, params: TrackerParams
) -> IntArray:
    """The row of its track (n,) for each detection, `UNTRACKED` for none."""
    track_rows = np.full(len(boxes), UNTRACKED, np.int64)
    if not len(state) or not len(boxes):
        return track_rows
    iou = overlaps(state.means[:, :4], boxes)
    comparable = (iou > 0) & (state.labels[:, None] == detections.labels)
    low = ~high & (detections.scores >= params.floors[detections.labels])
    free = np.ones(len(state), np.bool_)
    for candidates, gate in ((high, params.high_match_iou), (low, params.low_match_iou)):
        if candidates.any():
            rows, columns = pair(iou, comparable & (iou >= gate) & candidates & free[:, None])
            track_rows[columns] = rows
            free[rows] = False
    return track_rows


def _update(state: TrackerState, boxes: Reals, params: TrackerParams) -> TrackerState:
    """The state corrected by the box that each track was found in."""
    means, covariances = kalman.update(state.means, state.covariances, boxes)
    hits = np.minimum(state.hits + 1, params.min_hits)
    age = np.zeros(len(state), np.int64)
    return TrackerState(state.track_ids, state.labels, means, covariances, hits, age, state.next_id)


def _bear(first_id: int, boxes: Reals, labels: NDArray[np.int16]) -> TrackerState:
    """Tracks that begin with these boxes."""
    n = len(boxes)
    ids = np.arange(first_id, first_id + n)
    means, covariances = kalman.start(boxes)
    return TrackerState(ids, labels, means, covariances, np.ones(n, np.int64), np.zeros(n, np.int64), first_id + n)


def _survivors(state: TrackerState, found_rows: IntArray, params: TrackerParams) -> TrackerState:
    """The tracks that live on without a detection in this frame: confirmed, and not for too long."""
    alive = (state.hits >= params.min_hits) & (state.frames_since_update <= params.buffer_frames)
    alive[found_rows] = False
    missed = state[np.flatnonzero(alive)]
    return replace(missed, means=kalman.coast(missed.means)) if len(missed) else missed
