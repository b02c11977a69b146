"""Tracking backwards in time: the weak detections before a track's first strong one.

A tracker that runs forwards finds an object when its score first reaches the threshold. A batch can go back from
there: from every birth, the tracker runs against time over the weak detections that no track took, until it loses
the object. What it finds belongs to the track that was born, so the track simply begins earlier.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from anonflow.track.params import TrackerParams
from anonflow.track.state import TrackerState
from anonflow.track.timeline import Timeline
from anonflow.track.tracker import run, sorted_points
from anonflow.types import IntArray, Observations, Origin, Tracks

_NEVER = 2.0
"""An overlap that no pair of boxes has: births begin tracks, they never carry one on."""


def prolong_backwards(
    tracks: Tracks, unclaimed: Observations, timeline: Timeline, buffer_s: float, match_iou: float
) -> Tracks:
    """The tracks with their weak beginnings, ids kept.

    `unclaimed` are the weak detections of the whole video that no track took, `match_iou` is the least overlap with
    the box predicted backwards, and `buffer_s` how long the object may be missed on the way.
    """
    if not len(tracks) or not len(unclaimed):
        return tracks
    births = tracks[_first_rows(tracks)]
    stream, ids = _against_time(births, unclaimed, timeline.n_frames)
    params = TrackerParams(
        buffer_s=buffer_s,
        min_hits=1,
        high_match_iou=_NEVER,
        low_match_iou=match_iou,
        max_speed_sides_per_s=0.0,
        appearance=None,
    )
    found = _run(stream, timeline.reversed(), params)
    weak = found[found.origins == Origin.LOW]
    earlier = replace(
        weak,
        frames=timeline.n_frames - 1 - weak.frames,
        track_ids=ids[weak.track_ids],
        origins=np.full(len(weak), Origin.REVERSED, np.uint8),
    )
    return sorted_points(Tracks.concat([tracks, earlier]))


def unclaimed_by(tracks: Tracks, seen: Observations) -> Observations:
    """The weak detections that are no point of a track: points carry boxes and scores unchanged."""
    weak = seen[~seen.high]
    taken = {
        (frame, label, score, box.tobytes())
        for frame, label, score, box in _keys(tracks[tracks.origins == Origin.LOW])
    }
    if not taken:
        return weak
    free = [(frame, label, score, box.tobytes()) not in taken for frame, label, score, box in _keys(weak)]
    return weak[np.array(free, np.bool_)]


def _keys(rows: Tracks | Observations) -> list[tuple[int, int, float, np.ndarray]]:
    return list(zip(rows.frames.tolist(), rows.labels.tolist(), rows.scores.tolist(), rows.xyxy, strict=True))


def _first_rows(tracks: Tracks) -> IntArray:
    """The row of each track's first point."""
    _, first = np.unique(tracks.track_ids, return_index=True)
    return np.sort(first)


def _against_time(births: Tracks, unclaimed: Observations, n_frames: int) -> tuple[Observations, IntArray]:
    """One stream in reversed time, and the true id of each track in the order in which births come in it."""
    strong = Observations(
        births.frames,
        births.xyxy,
        births.scores,
        births.labels,
        np.ones(len(births), np.bool_),
        np.zeros(len(births), np.int16),
    )
    both = Observations.concat([strong, unclaimed])
    names = np.concatenate((births.track_ids, np.full(len(unclaimed), -1)))
    order = np.argsort(-both.frames, kind="stable")
    stream = both[order]
    return replace(stream, frames=n_frames - 1 - stream.frames), names[order][stream.high]


def _run(stream: Observations, timeline: Timeline, params: TrackerParams) -> Tracks:
    """As `one_pass`, but frames in which no track is alive are skipped."""
    parts, state, frame = [Tracks.empty()], TrackerState.empty(), 0
    for birth in np.unique(stream.frames[stream.high]).tolist():
        frame = max(frame, birth)
        while frame < timeline.n_frames and (frame == birth or len(state)):
            state, tracks = run(state, stream.between(frame, frame + 1), frame, frame + 1, timeline, params)
            parts.append(tracks)
            frame += 1
    return Tracks.concat(parts)
