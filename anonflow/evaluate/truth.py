"""What is really to be seen in a video, frame by frame, and the video as a method gets it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anonflow.types import Detections, FloatArray, IntArray

Times = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Truth:
    """All objects of a video, a row per object and frame, sorted by frame.

    `frames` (n,) display indices; `object_ids` (n,) one per object; `xyxy` (n, 4) float32 px, clipped to the
    picture; `labels` (n,) label codes; `visible` (n,) share of the whole object, the part outside of the picture
    included, that can be seen (0: known to be there, but hidden). `times_s` (n_frames,) is when each frame begins,
    `end_s` when the last one ends. Raises ValueError if rows contradict each other or the video.
    """

    frames: IntArray
    object_ids: IntArray
    xyxy: FloatArray
    labels: NDArray[np.int16]
    visible: FloatArray
    times_s: Times
    end_s: float
    width: int
    height: int

    def __post_init__(self) -> None:
        """Check what every metric relies on."""
        columns = (self.object_ids, self.xyxy, self.labels, self.visible)
        _require(all(len(column) == len(self.frames) for column in columns), "columns differ in length")
        _require(bool((self.durations_s > 0).all()), "frame times must increase")
        _require(bool((np.diff(self.frames) >= 0).all()), "rows must be sorted by frame")
        inside = (self.frames >= 0) & (self.frames < self.n_frames)
        _require(bool(inside.all()), "rows lie outside of the video")
        pairs = np.stack((self.frames, self.object_ids), axis=1)
        _require(len(np.unique(pairs, axis=0)) == len(pairs), "an object has two boxes in one frame")
        sound = (self.xyxy[:, 2:] > self.xyxy[:, :2]).all(axis=1) & (self.xyxy >= 0).all(axis=1)
        sound &= (self.xyxy[:, 2:] <= (self.width, self.height)).all(axis=1)
        _require(bool(sound.all()), "a box is empty or not clipped to the picture")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def n_frames(self) -> int:
        """Number of frames of the video."""
        return len(self.times_s)

    @cached_property
    def durations_s(self) -> Times:
        """How long each frame is shown, (n_frames,)."""
        return np.diff(self.times_s, append=self.end_s)


@dataclass(frozen=True, eq=False)
class Clock:
    """A file's own timestamps (n_frames,) in units of `time_base` seconds, and the last frame's end: exact times."""

    pts: IntArray
    time_base: Fraction
    end_pts: int


@dataclass(frozen=True, eq=False)
class Scene:
    """A video as a method sees it (detections, times, shots, light), with the truth to judge the method by.

    `shots` (n_frames,) int32 counts the shots; `luma` (n_frames,) float32 is each frame's mean brightness, 0..1;
    `labels` are the names of the label codes.
    """

    name: str
    truth: Truth
    detections: Detections
    shots: NDArray[np.int32]
    luma: FloatArray
    labels: tuple[str, ...]
    clock: Clock | None = None
    """Of a real video; what is planned by it equals a run's plan to the bit, not only to rounding."""

    @property
    def times_s(self) -> Times:
        """When each frame begins, (n_frames,)."""
        return self.truth.times_s

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.truth.n_frames

    @property
    def width(self) -> int:
        """Columns of the picture."""
        return self.truth.width

    @property
    def height(self) -> int:
        """Rows of the picture."""
        return self.truth.height

    @property
    def frame_interval_s(self) -> float:
        """Median time between neighbouring frames, as `FrameIndex` has it; a single frame's own duration."""
        steps = self.truth.durations_s
        return float(np.median(steps[:-1] if len(steps) > 1 else steps))


def clipped(xyxy: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """Boxes (n, 4) cut off at the borders of the picture."""
    return np.clip(xyxy, 0, (width, height, width, height))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(f"Not a truth: {message}.")
