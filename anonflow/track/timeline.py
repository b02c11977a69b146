"""When each frame is shown, and where shots begin: limits of tracking and masking are times, not frame counts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import numpy as np
from numpy.typing import NDArray

from anonflow.types import IntArray

Reals = NDArray[np.float64]
_ROUNDING_S = 1e-9
_TICK_S = 2.0**-40


@dataclass(frozen=True, eq=False)
class Timeline:
    """The frames of a video in time.

    `times_s` (n,) is when each frame is first shown, `steps` (n,) the time since the frame before in units of
    `interval_s`, the usual time between frames (1 for the first frame). `cuts` (n,) bool: first frames of shots.
    """

    times_s: Reals
    end_s: float
    interval_s: float
    steps: Reals
    cuts: NDArray[np.bool_]

    @classmethod
    def of(cls, pts: IntArray, time_base: Fraction, end_pts: int, cuts: NDArray[np.bool_]) -> Self:
        """From timestamps (n,), strictly increasing, in units of `time_base` seconds."""
        ticks = np.diff(pts)
        usual = float(np.median(ticks)) if len(ticks) else float(max(end_pts - int(pts[0]), 1))
        return cls(
            times_s=(pts - pts[0]).astype(np.float64) * float(time_base),
            end_s=float((end_pts - int(pts[0])) * time_base),
            interval_s=usual * float(time_base),
            steps=np.concatenate((np.ones(1), ticks / usual)).astype(np.float64),
            cuts=cuts,
        )

    @classmethod
    def at(cls, times_s: Reals, end_s: float, cuts: NDArray[np.bool_]) -> Self:
        """From times (n,), the first of them 0, where there are no exact timestamps."""
        return cls.of(np.rint(times_s / _TICK_S).astype(np.int64), Fraction(_TICK_S), round(end_s / _TICK_S), cuts)

    @classmethod
    def even(cls, n_frames: int, interval_s: float) -> Self:
        """A constant frame rate and one shot."""
        times = np.arange(n_frames, dtype=np.float64) * interval_s
        return cls(times, n_frames * interval_s, interval_s, np.ones(n_frames), np.zeros(n_frames, np.bool_))

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.times_s)

    @property
    def shots(self) -> IntArray:
        """Number (n,) of the shot that each frame belongs to."""
        return np.cumsum(self.cuts)

    def reversed(self) -> Self:
        """The same frames, the last one first."""
        return type(self)(
            times_s=(self.times_s[-1] - self.times_s[::-1]) if self.n_frames else self.times_s,
            end_s=self.end_s,
            interval_s=self.interval_s,
            steps=np.concatenate((self.steps[:1] * 0 + 1, self.steps[:0:-1])),
            cuts=np.concatenate((self.cuts[:1] & False, self.cuts[:0:-1])),
        )

    def first_reaching(self, times_s: Reals) -> IntArray:
        """The first frame (m,) at or after each time; `n_frames` where there is none."""
        return np.searchsorted(self.times_s, np.asarray(times_s) - _ROUNDING_S)

    def last_reaching(self, times_s: Reals) -> IntArray:
        """The last frame (m,) at or before each time; -1 where there is none."""
        return np.searchsorted(self.times_s, np.asarray(times_s) + _ROUNDING_S, side="right") - 1

    def within(self, elapsed_s: Reals, limit_s: float) -> NDArray[np.bool_]:
        """Which times (m,) do not exceed the limit, the rounding of timestamps aside."""
        return np.asarray(elapsed_s <= limit_s + _ROUNDING_S)


@dataclass(frozen=True)
class Reach:
    """How far an operator reads: what it gives for a frame depends on no frame further away.

    Outward from a frame: some seconds, and some frames both before and after those seconds are counted. The latter
    matter where frames are further apart than the seconds reach.
    """

    before_s: float = 0.0
    after_s: float = 0.0
    before_frames: int = 0
    after_frames: int = 0

    def first(self, frame: int, timeline: Timeline) -> int:
        """The first frame that is read for `frame`."""
        near = max(0, frame - self.before_frames)
        far = int(timeline.first_reaching(timeline.times_s[near] - self.before_s))
        return max(0, min(near, far) - self.before_frames)

    def last(self, frame: int, timeline: Timeline) -> int:
        """The last frame that is read for `frame`."""
        end = timeline.n_frames - 1
        near = min(end, frame + self.after_frames)
        far = int(timeline.last_reaching(timeline.times_s[near] + self.after_s))
        return min(end, max(near, far) + self.after_frames)
