"""From whole tracks to what must be hidden, looking back and ahead.

A detector misses an object in single frames, but a batch knows where it was before and after. Each operator adds
points and removes none. Every track counts, however short: each was started by a detection above the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.config import StabiliseConfig
from anonflow.track.association import Mask
from anonflow.track.params import frames_covering
from anonflow.track.tracker import UNTRACKED, sorted_points
from anonflow.types import Detections, IntArray, MaskPlan, Origin, Tracks


def stabilise(
    tracks: Tracks,
    detections: Detections,
    config: StabiliseConfig,
    *,
    frame_interval_s: float,
    n_frames: int,
    thresholds: Sequence[float],
) -> Tracks:
    """All points that must be hidden in a video of `n_frames` frames; `thresholds` are given by label code."""
    max_gap, before, after = (
        frames_covering(duration_s, frame_interval_s)
        for duration_s in (config.max_gap_s, config.extend_before_s, config.extend_after_s)
    )
    whole = interpolate_gaps(tracks, max_gap)
    whole = extend_ends(whole, before, after, n_frames)
    return add_untracked(whole, detections, thresholds)


def interpolate_gaps(tracks: Tracks, max_gap_frames: int) -> Tracks:
    """Fill gaps of up to `max_gap_frames` missing frames: linear between the neighbours, with the lower score."""
    left, right, missing = _neighbours(tracks)
    fill = (missing > 0) & (missing <= max_gap_frames)
    left, right, missing = left[fill], right[fill], missing[fill]
    gap = np.repeat(np.arange(len(missing)), missing)
    offset = _count_within(missing) + 1
    share = (offset / (missing[gap] + 1))[:, None]
    xyxy = tracks.xyxy.astype(np.float64)
    between = xyxy[left[gap]] * (1 - share) + xyxy[right[gap]] * share
    filled = replace(
        tracks[left[gap]],
        frames=tracks.frames[left[gap]] + offset,
        xyxy=between.astype(np.float32),
        scores=np.minimum(tracks.scores[left], tracks.scores[right])[gap],
        origins=np.full(len(gap), Origin.INTERPOLATED, np.uint8),
    )
    return sorted_points(Tracks.concat([tracks, filled]))


def extend_ends(tracks: Tracks, before_frames: int, after_frames: int, n_frames: int) -> Tracks:
    """Hold the box for some frames before and after each unbroken run of a track, within the video.

    A gap that was too long to fill has two ends as well; they reach into the gap, but not past it.
    """
    left, right, missing = _neighbours(tracks)
    room_before = tracks.frames.copy()
    room_after = n_frames - 1 - tracks.frames
    room_before[right] = missing
    room_after[left] = missing
    n_before = np.minimum(room_before, before_frames)
    n_after = np.minimum(room_after, after_frames)
    return sorted_points(Tracks.concat([tracks, _held(tracks, n_before, -1), _held(tracks, n_after, 1)]))


def add_untracked(tracks: Tracks, detections: Detections, thresholds: Sequence[float]) -> Tracks:
    """Add the detections at or above their label's threshold that are no track's point, with id `UNTRACKED`."""
    high = detections[detections.scores >= np.asarray(thresholds, np.float32)[detections.labels]]
    single = high[~_is_point(high, tracks)]
    origins = np.full(len(single), Origin.DETECTED, np.uint8)
    track_ids = np.full(len(single), UNTRACKED, np.int64)
    added = Tracks(single.frames, track_ids, single.xyxy, single.scores, single.labels, origins)
    return sorted_points(Tracks.concat([tracks, added]))


def mask_plan(tracks: Tracks, margins: Sequence[float], width: int, height: int) -> MaskPlan:
    """Boxes to hide in a picture of `width` x `height` px.

    Each box grows by its label's margin on every side (a share of its width or height; `margins` by label code)
    and is clipped to the picture; one that is empty then is dropped. Sorted by frame, label and coordinates, each
    box once: what tracks are called cannot be seen.
    """
    xyxy = tracks.xyxy.astype(np.float64)
    margin = np.asarray(margins, np.float64)[tracks.labels][:, None] * (xyxy[:, 2:] - xyxy[:, :2])
    grown = np.concatenate((xyxy[:, :2] - margin, xyxy[:, 2:] + margin), axis=1)
    clipped = np.clip(grown, 0, (width, height, width, height)).astype(np.float32)
    kept = np.flatnonzero((clipped[:, 2:] > clipped[:, :2]).all(axis=1))
    plan = MaskPlan(tracks.frames, clipped, tracks.labels)[kept]
    order, is_new = _sorted_rows(plan.frames, plan.labels, *plan.xyxy.T)
    return plan[order[is_new]]


def _neighbours(tracks: Tracks) -> tuple[IntArray, IntArray, IntArray]:
    """Rows of each point and of the next one of its track, and the number of frames missing between them."""
    order = np.lexsort((tracks.frames, tracks.track_ids))
    left, right = order[:-1], order[1:]
    same = (tracks.track_ids[left] == tracks.track_ids[right]) & (tracks.track_ids[left] != UNTRACKED)
    left, right = left[same], right[same]
    return left, right, np.maximum(tracks.frames[right] - tracks.frames[left] - 1, 0)


def _held(tracks: Tracks, n_copies: IntArray, direction: int) -> Tracks:
    """`n_copies[i]` copies of point i in the frames beside it, backwards (-1) or forwards (1)."""
    held = tracks[np.repeat(np.arange(len(tracks)), n_copies)]
    frames = held.frames + direction * (_count_within(n_copies) + 1)
    return replace(held, frames=frames, origins=np.full(len(held), Origin.EXTENDED, np.uint8))


def _count_within(lengths: IntArray) -> IntArray:
    """0, 1, 2, ... anew for each run of the given length."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) - np.repeat(starts, lengths)


def _is_point(detections: Detections, tracks: Tracks) -> Mask:
    """Which detections (n,) are a point of a track: points carry them unchanged."""
    rows = Detections.concat([detections, Detections(tracks.frames, tracks.xyxy, tracks.scores, tracks.labels)])
    order, is_new = _sorted_rows(rows.frames, rows.labels, rows.scores, *rows.xyxy.T)
    groups = np.empty(len(rows), np.int64)
    groups[order] = np.cumsum(is_new)
    return np.isin(groups[: len(detections)], groups[len(detections) :])


def _sorted_rows(*columns: NDArray[Any]) -> tuple[IntArray, Mask]:
    """The order that sorts rows by the columns, first one first, and which sorted rows differ from the last."""
    order = np.lexsort(columns[::-1])
    is_new = np.zeros(len(order), np.bool_)
    is_new[:1] = True
    for column in columns:
        is_new[1:] |= column[order[1:]] != column[order[:-1]]
    return order, is_new
