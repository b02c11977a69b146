"""A tracker as a pure function from state and detections to state and names.

ByteTrack (Zhang et al., ECCV 2022), SORT (Bewley et al., ICIP 2016) and DeepSORT (Wojke et al., ICIP 2017) are the
same function with other rounds of association (see `association`). Where this differs from the papers, it is to
hide more: tracks that were lost or are not yet confirmed take part in all rounds by overlap, every strong detection
that finds no track starts one, and a track's first detection has its id already. Association never crosses labels,
and no track lives on over a cut.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from anonflow.track import kalman
from anonflow.track.appearance import Looks, references
from anonflow.track.association import UNTRACKED, associate
from anonflow.track.kalman import Reals
from anonflow.track.params import TrackerParams
from anonflow.track.state import TrackerState
from anonflow.track.timeline import Timeline
from anonflow.types import IntArray, Observations, Origin, Tracks


def step(
    state: TrackerState,
    seen: Observations,
    frame: int,
    timeline: Timeline,
    params: TrackerParams,
    looks: Looks | None = None,
) -> tuple[TrackerState, IntArray]:
    """The state after one more frame, and the track id (n,) of each of its detections, `UNTRACKED` for none.

    Deterministic to the bit; equal states under different names give equal results under those names. `looks` is
    asked for descriptors where `params.appearance` wants them.
    """
    return _step(state, seen, kalman.on_grid(seen.xyxy), frame, timeline, params, looks)


def _step(
    state: TrackerState,
    seen: Observations,
    boxes: Reals,
    frame: int,
    timeline: Timeline,
    params: TrackerParams,
    looks: Looks | None,
) -> tuple[TrackerState, IntArray]:
    """As `step`, with the boxes of `seen` on the grid."""
    if timeline.cuts[frame]:
        state = TrackerState.empty(params.gallery, state.next_id)
    if not len(state) and not len(seen):
        return state, np.zeros(0, np.int64)
    predicted = state.with_motion(kalman.predict(state.motion, float(timeline.steps[frame])))
    track_rows = associate(predicted, seen, boxes, frame, timeline, params, looks)
    is_found = track_rows != UNTRACKED
    n_found = np.count_nonzero(is_found)
    found = slice(None) if n_found == len(seen) else is_found.nonzero()[0]
    found_rows = track_rows[found]
    track_ids = track_rows.copy()
    track_ids[found] = predicted.track_ids[found_rows]
    after = _update(predicted, found_rows, seen, boxes, found, frame, params)
    if n_found < len(seen) and len(born := (seen.high & ~is_found).nonzero()[0]):
        births = _bear(predicted.next_id, seen, boxes, born, frame, params)
        track_ids[born] = births.track_ids
        after = after.then(births)[np.argsort(np.concatenate((is_found.nonzero()[0], born)))]
    if n_found == len(state):
        return after, track_ids
    return after.then(_survivors(predicted, found_rows, frame, timeline, params)), track_ids


def run(
    state: TrackerState,
    seen: Observations,
    start_frame: int,
    stop_frame: int,
    timeline: Timeline,
    params: TrackerParams,
    looks: Looks | None = None,
) -> tuple[TrackerState, Tracks]:
    """The state after the frames `start_frame..stop_frame`, and the points found in them."""
    bounds = np.searchsorted(seen.frames, np.arange(start_frame, stop_frame + 1)).tolist()
    boxes, parts = kalman.on_grid(seen.xyxy), [np.zeros(0, np.int64)]
    for frame, (first, last) in enumerate(pairwise(bounds), start=start_frame):
        state, track_ids = _step(state, seen[first:last], boxes[first:last], frame, timeline, params, looks)
        parts.append(track_ids)
    return state, points(seen[bounds[0] : bounds[-1]], np.concatenate(parts))


def one_pass(seen: Observations, timeline: Timeline, params: TrackerParams, looks: Looks | None = None) -> Tracks:
    """The tracks of a whole video: the definition that every parallel way must equal."""
    return run(TrackerState.empty(params.gallery), seen, 0, timeline.n_frames, timeline, params, looks)[1]


def points(seen: Observations, track_ids: IntArray) -> Tracks:
    """The detections that have a track, as its points: raw boxes, sorted by frame then id."""
    origins = np.where(seen.high, Origin.DETECTED, Origin.LOW).astype(np.uint8)
    rows = np.flatnonzero(track_ids != UNTRACKED)
    return sorted_points(Tracks(seen.frames, track_ids, seen.xyxy, seen.scores, seen.labels, origins)[rows])


def sorted_points(tracks: Tracks) -> Tracks:
    """The points sorted by frame then id."""
    return tracks[np.lexsort((tracks.track_ids, tracks.frames))]


def _update(
    state: TrackerState,
    rows: IntArray,
    seen: Observations,
    boxes: Reals,
    found: IntArray | slice,
    frame: int,
    params: TrackerParams,
) -> TrackerState:
    """The tracks of `rows`, each corrected by the detection (a row of `found`) that it was found in."""
    motion = kalman.update(state.motion.T.take(rows, axis=1).T, boxes[found])
    after = state.seen_again(rows, motion, frame, params.min_hits)
    return after.remembering(references(seen[found], frame)) if params.gallery else after


def _bear(
    first_id: int, seen: Observations, boxes: Reals, born: IntArray, frame: int, params: TrackerParams
) -> TrackerState:
    """Tracks that begin with these detections (`born`)."""
    births = TrackerState.born(first_id, seen.labels[born], kalman.start(boxes[born]), frame, params.gallery)
    return births.remembering(references(seen[born], frame)) if params.gallery else births


def _survivors(
    state: TrackerState, found_rows: IntArray, frame: int, timeline: Timeline, params: TrackerParams
) -> TrackerState:
    """The tracks that live on without a detection in this frame: confirmed, and not for too long."""
    unseen_s = timeline.times_s[frame] - timeline.times_s[state.last_frames]
    is_alive = timeline.within(unseen_s, params.buffer_s)
    if params.min_hits > 1:
        is_alive &= state.hits >= params.min_hits
    is_alive[found_rows] = False
    alive = state[is_alive.nonzero()[0]]
    return alive.with_motion(kalman.coast(alive.motion)) if len(alive) else alive
