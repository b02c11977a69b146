"""Rules after detection: what a network tends to miss, or to see where nothing can be, told by plain geometry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anonflow.track.association import UNTRACKED, overlaps
from anonflow.track.operators import View
from anonflow.track.timeline import Reach
from anonflow.track.tracker import sorted_points
from anonflow.types import IntArray, Origin, Tracks


@dataclass(frozen=True)
class BridgeNeighbours:
    """What is in both neighbours of a frame is put into the middle, even if the tracker took it for two things."""

    min_iou: float
    """Least overlap of the two boxes."""

    @property
    def reach(self) -> Reach:
        """One frame to both sides, and one more to see whether a track ends there."""
        return Reach(before_frames=1, after_frames=1)

    def apply(self, points: Tracks, view: View) -> Tracks:
        """The points with those in between, without a track."""
        ends, starts = _loose_ends(points)
        ends = ends[np.isin(points.frames[ends] + 2, points.frames[starts])]
        shots = view.timeline.shots
        added = [Tracks.empty()]
        for end in ends.tolist():
            frame = int(points.frames[end]) + 1
            candidates = starts[points.frames[starts] == frame + 1]
            candidates = candidates[points.labels[candidates] == points.labels[end]]
            if not len(candidates) or shots[frame - 1] != shots[frame + 1]:
                continue
            pair = points.xyxy[end].astype(np.float64)[None], points.xyxy[candidates].astype(np.float64)
            alike = np.flatnonzero(overlaps(*pair)[0] >= self.min_iou)
            added += [_middle(points, end, candidates[row], frame) for row in alike.tolist()]
        return sorted_points(Tracks.concat([points, *added]))


@dataclass(frozen=True)
class ExtendAtEdge:
    """A box close to the picture's edge is made to reach it: what is cut off there is found too small."""

    labels: tuple[int, ...]
    within: float
    """How close, as a share of the box's width or height."""

    @property
    def reach(self) -> Reach:
        """Its own frame."""
        return Reach()

    def apply(self, points: Tracks, view: View) -> Tracks:
        """The same points with larger boxes."""
        xyxy = points.xyxy.copy()
        near = self.within * np.tile(xyxy[:, 2:] - xyxy[:, :2], 2)
        limits = np.array((0, 0, view.width, view.height), np.float32)
        touched = (np.abs(xyxy - limits) <= near) & np.isin(points.labels, self.labels)[:, None]
        return replace(points, xyxy=np.where(touched, limits, xyxy).astype(np.float32))


@dataclass(frozen=True)
class PlateContext:
    """A plate must leave room for a vehicle: one that is wider than a vehicle around it could be is dropped.

    The vehicle is a box `vehicle_widths` times as wide as the plate around the plate's centre. If less than
    `min_visible` of its width lies in the picture, there is no such vehicle. A plate that stays is believed: tracks
    of `keep_duration_s` or more are kept.
    """

    label: int
    vehicle_widths: float
    min_visible: float
    keep_duration_s: float

    @property
    def reach(self) -> Reach:
        """Its own frame; how long a track is, is known of the whole track."""
        return Reach()

    def apply(self, points: Tracks, view: View) -> Tracks:
        """The points that may be plates, and those of other labels."""
        centre = (points.xyxy[:, 0] + points.xyxy[:, 2]) / 2
        width = (points.xyxy[:, 2] - points.xyxy[:, 0]) * np.float32(self.vehicle_widths)
        visible = np.minimum(centre + width / 2, view.width) - np.maximum(centre - width / 2, 0)
        fits = visible >= self.min_visible * width
        long = view.facts.durations(points.track_ids) >= self.keep_duration_s
        return points[np.flatnonzero(fits | long | (points.labels != self.label))]


def _loose_ends(points: Tracks) -> tuple[IntArray, IntArray]:
    """Rows after which their track has no point in the next frame, and rows before which it has none."""
    if not len(points):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.lexsort((points.frames, points.track_ids))
    follows: NDArray[np.bool_] = (
        (np.diff(points.track_ids[order]) == 0)
        & (np.diff(points.frames[order]) <= 1)
        & (points.track_ids[order][1:] != UNTRACKED)
    )
    return order[np.append(~follows, True)], order[np.append(True, ~follows)]


def _middle(points: Tracks, before: int, after: int, frame: int) -> Tracks:
    """One point half way between two."""
    between = (points.xyxy[before].astype(np.float64) + points.xyxy[after]) / 2
    return replace(
        points[before : before + 1],
        frames=np.array([frame]),
        track_ids=np.array([UNTRACKED]),
        xyxy=between.astype(np.float32)[None],
        scores=np.minimum(points.scores[before : before + 1], points.scores[after]),
        origins=np.array([Origin.RULE], np.uint8),
    )
