"""What is hidden beyond the detections of a track, because a batch knows its future: one operator a step.

An operator takes points and gives points. It never takes a box away that it was given or makes one smaller, except
`DropTracks`, which is off where recall comes first. Each declares its `reach` in time: what it gives for a frame
does not depend on points further away. So a video's masks are planned in pieces, and equal those of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from anonflow.track.association import UNTRACKED
from anonflow.track.timeline import Reach, Reals, Timeline
from anonflow.track.tracker import sorted_points
from anonflow.types import FloatArray, IntArray, Origin, Tracks

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TrackFacts:
    """What is known of each whole track, by id: `duration_s` and `best_score` (n,), `ids` (n,) ascending."""

    ids: IntArray
    duration_s: Reals
    best_score: FloatArray

    @classmethod
    def of(cls, tracks: Tracks, timeline: Timeline) -> TrackFacts:
        """The facts of all tracks; a track lasts from its first point to the end of its last one's frame."""
        ids, position = np.unique(tracks.track_ids, return_inverse=True)
        first, last = np.full(len(ids), timeline.n_frames), np.full(len(ids), -1)
        best = np.zeros(len(ids), np.float32)
        np.minimum.at(first, position, tracks.frames)
        np.maximum.at(last, position, tracks.frames)
        np.maximum.at(best, position, tracks.scores)
        ends = np.append(timeline.times_s, timeline.end_s)
        return cls(ids, ends[last + 1] - ends[first], best)

    def durations(self, track_ids: IntArray) -> Reals:
        """Duration (m,) of each track in seconds; 0 for `UNTRACKED`."""
        return self._of(self.duration_s, track_ids)

    def best_scores(self, track_ids: IntArray) -> Reals:
        """Highest score (m,) of each track; 0 for `UNTRACKED`."""
        return self._of(self.best_score.astype(np.float64), track_ids)

    def _of(self, values: Reals, track_ids: IntArray) -> Reals:
        known = np.append(values, 0.0)
        return known[np.where(track_ids == UNTRACKED, len(values), np.searchsorted(self.ids, track_ids))]


@dataclass(frozen=True, eq=False)
class View:
    """What an operator may know besides points: the video's time, the size of its picture in px, its tracks."""

    timeline: Timeline
    width: int
    height: int
    facts: TrackFacts


class Operator(Protocol):
    """One step from tracks to masks."""

    @property
    def reach(self) -> Reach:
        """How far it reads in time."""

    def apply(self, points: Tracks, view: View) -> Tracks:
        """The points after this step; ids are those of `view.facts`, or `UNTRACKED`."""


@dataclass(frozen=True)
class DropTracks:
    """Forget tracks that are both shorter and weaker than asked: for those to whom a false mask matters more."""

    min_duration_s: float
    min_score: float

    @property
    def reach(self) -> Reach:
        """Its own frame: what it needs to know is known of the whole track."""
        return Reach()

    def apply(self, points: Tracks, view: View) -> Tracks:
        """The points of the other tracks."""
        long = view.facts.durations(points.track_ids) >= self.min_duration_s
        strong = view.facts.best_scores(points.track_ids) >= self.min_score
        return points[np.flatnonzero(long | strong)]


@dataclass(frozen=True)
class FillGaps:
    """Fill gaps within a track on a straight line, with the lower of both scores."""

    max_gap_s: float

    @property
    def reach(self) -> Reach:
        """The gap, and the frame before it."""
        return Reach(self.max_gap_s, self.max_gap_s, before_frames=1)

    def apply(self, points: Tracks, view: View) -> Tracks:
        """The points with those in the gaps."""
        times = view.timeline.times_s
        left, right = neighbours(points, view.timeline)
        missing = points.frames[right] - points.frames[left] - 1
        gap_s = times[points.frames[right]] - times[np.minimum(points.frames[left] + 1, view.timeline.n_frames - 1)]
        fill = (missing > 0) & view.timeline.within(gap_s, self.max_gap_s)
        left, right, missing = left[fill], right[fill], missing[fill]
        gap = np.repeat(np.arange(len(missing)), missing)
        frames = points.frames[left[gap]] + count_within(missing) + 1
        begin, end = times[points.frames[left]][gap], times[points.frames[right]][gap]
        share = ((times[frames] - begin) / (end - begin))[:, None]
        xyxy = points.xyxy.astype(np.float64)
        filled = replace(
            points[left[gap]],
            frames=frames,
            xyxy=(xyxy[left[gap]] * (1 - share) + xyxy[right[gap]] * share).astype(np.float32),
            scores=np.minimum(points.scores[left], points.scores[right])[gap],
            origins=np.full(len(gap), Origin.INTERPOLATED, np.uint8),
        )
        return sorted_points(Tracks.concat([points, filled]))


@dataclass(frozen=True)
class ExtendEnds:
    """Hold the box for some time before and after each unbroken run of a track, up to the shot's ends.

    A gap that was too long to fill has two ends as well; they reach into the gap, but not past it. Each time is
    rounded up to whole frames, and is one frame at least. An object that moved goes on moving: besides the box that
    is held, one that keeps the end's motion is hidden.
    """

    before_s: float
    after_s: float
    motion_s: float = 0.0
    """The end's motion is what its centre did in the last so many seconds of the run; 0: it is only held."""

    @property
    def reach(self) -> Reach:
        """What is held may come from as far as it is held, and moves as it did before that."""
        return Reach(self.after_s + self.motion_s, self.before_s + self.motion_s, before_frames=1, after_frames=1)

    def apply(self, points: Tracks, view: View) -> Tracks:
        """The points with those held."""
        timeline = view.timeline
        first_of_shot, last_of_shot = _shot_bounds(timeline, points.frames)
        times = timeline.times_s[points.frames]
        low, high = first_of_shot, last_of_shot
        left, right = neighbours(points, timeline)
        low[right] = points.frames[left] + 1
        high[left] = points.frames[right] - 1
        n_before = np.zeros(len(points), np.int64)
        n_after = np.zeros(len(points), np.int64)
        if self.before_s > 0:
            reached = timeline.last_reaching(times - self.before_s)
            n_before = points.frames - np.maximum(low, np.minimum(reached, points.frames - 1))
        if self.after_s > 0:
            reached = timeline.first_reaching(times + self.after_s)
            n_after = np.minimum(high, np.maximum(reached, points.frames + 1)) - points.frames
        n_before, n_after = np.maximum(n_before, 0), np.maximum(n_after, 0)
        held = [_held(points, n_before, -1), _held(points, n_after, 1)]
        if self.motion_s:
            held += [self._moved(points, n_before, -1, timeline), self._moved(points, n_after, 1, timeline)]
        return sorted_points(Tracks.concat([points, *held]))

    def _moved(self, points: Tracks, n_copies: IntArray, direction: int, timeline: Timeline) -> Tracks:
        """Copies as `_held` gives them, but going on as the run went; none of an end that did not move."""
        velocity = _end_velocity(points, direction, self.motion_s, timeline)
        rows = np.repeat(np.arange(len(points)), n_copies)
        held = _held(points, n_copies, direction)
        elapsed = timeline.times_s[held.frames] - timeline.times_s[points.frames[rows]]
        shift = velocity[rows] * elapsed[:, None]
        moved = replace(held, xyxy=(held.xyxy + np.tile(shift, 2)).astype(np.float32))
        return moved[np.flatnonzero(shift.any(axis=1))]


@dataclass(frozen=True)
class Smooth:
    """Steady a box that trembles: a Gaussian over time, cut off at three sigma, joined with the box itself.

    The hull of both is hidden, so smoothing never shrinks a mask. Only unbroken runs within a shot are smoothed.
    """

    sigma_s: float

    @property
    def reach(self) -> Reach:
        """Three sigma to both sides."""
        return Reach(3 * self.sigma_s, 3 * self.sigma_s)

    def apply(self, points: Tracks, view: View) -> Tracks:
        """The same points with larger boxes."""
        if not len(points):
            return points
        order = np.lexsort((points.frames, points.track_ids))
        run = points[order]
        times = view.timeline.times_s[run.frames]
        runs = _run_numbers(run, view.timeline)
        weighted, weights = run.xyxy.astype(np.float64), np.ones(len(run))
        total = weighted.copy()
        for offset in range(1, len(run)):
            apart = times[offset:] - times[:-offset]
            near = (runs[offset:] == runs[:-offset]) & view.timeline.within(apart, 3 * self.sigma_s)
            if not near.any():
                break
            weight = np.where(near, np.exp(-0.5 * (apart / self.sigma_s) ** 2), 0.0)
            total[:-offset] += weight[:, None] * weighted[offset:]
            total[offset:] += weight[:, None] * weighted[:-offset]
            weights[:-offset] += weight
            weights[offset:] += weight
        smooth = total / weights[:, None]
        hull = np.concatenate(
            (np.minimum(smooth[:, :2], run.xyxy[:, :2]), np.maximum(smooth[:, 2:], run.xyxy[:, 2:])), axis=1
        )
        return sorted_points(replace(run, xyxy=hull.astype(np.float32)))


def _end_velocity(points: Tracks, direction: int, window_s: float, timeline: Timeline) -> Reals:
    """Velocity (n, 2) in px/s of each point's centre: from as far inside its run as the window reaches."""
    order = np.lexsort((points.frames, points.track_ids))
    run = points[order]
    times, runs = timeline.times_s[run.frames], _run_numbers(run, timeline)
    centres = (run.xyxy[:, :2].astype(np.float64) + run.xyxy[:, 2:]) / 2
    rows = np.arange(len(run))
    inner = rows.copy()
    for offset in range(1, len(run)):
        near = (runs[offset:] == runs[:-offset]) & timeline.within(times[offset:] - times[:-offset], window_s)
        if not near.any():
            break
        early, late = rows[:-offset][near], rows[offset:][near]
        if direction > 0:
            inner[late] = early
        else:
            inner[early] = late
    elapsed = times - times[inner]
    moved = centres - centres[inner]
    velocity = np.zeros((len(run), 2))
    velocity[order] = np.divide(moved, elapsed[:, None], out=np.zeros_like(moved), where=elapsed[:, None] != 0)
    return velocity


def neighbours(points: Tracks, timeline: Timeline) -> tuple[IntArray, IntArray]:
    """Rows of each point and of the next one of its track in the same shot."""
    order = np.lexsort((points.frames, points.track_ids))
    left, right = order[:-1], order[1:]
    shots = timeline.shots[points.frames]
    same = (points.track_ids[left] == points.track_ids[right]) & (points.track_ids[left] != UNTRACKED)
    same &= shots[left] == shots[right]
    return left[same], right[same]


def count_within(lengths: IntArray) -> IntArray:
    """0, 1, 2, ... anew for each run of the given length."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) - np.repeat(starts, lengths)


def _run_numbers(run: Tracks, timeline: Timeline) -> IntArray:
    """A number (n,) for each unbroken run of a track within a shot; the points are sorted by track and frame."""
    shots = timeline.shots[run.frames]
    broken = np.ones(len(run), np.bool_)
    broken[1:] = (
        (run.track_ids[1:] != run.track_ids[:-1])
        | (run.frames[1:] - run.frames[:-1] > 1)
        | (shots[1:] != shots[:-1])
        | (run.track_ids[1:] == UNTRACKED)
    )
    return np.cumsum(broken)


def _shot_bounds(timeline: Timeline, frames: IntArray) -> tuple[IntArray, IntArray]:
    """First and last frame (n,) of the shot that each frame lies in."""
    starts = np.union1d(0, np.flatnonzero(timeline.cuts))
    stops = np.append(starts[1:], timeline.n_frames) - 1
    shot = np.searchsorted(starts, frames, side="right") - 1
    return starts[shot], stops[shot]


def _held(points: Tracks, n_copies: IntArray, direction: int) -> Tracks:
    """`n_copies[i]` copies of point i in the frames beside it, backwards (-1) or forwards (1)."""
    held = points[np.repeat(np.arange(len(points)), n_copies)]
    frames = held.frames + direction * (count_within(n_copies) + 1)
    return replace(held, frames=frames, origins=np.full(len(held), Origin.EXTENDED, np.uint8))
