"""What the tracker needs to know, in frames instead of seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from anonflow.config import TrackerConfig
from anonflow.types import FloatArray


def frames_covering(duration_s: float, frame_interval_s: float) -> int:
    """Number of frame intervals that together last at least `duration_s`.

    Rounded up, because hiding a frame too many is the lesser harm; the last 1e-9 is a rounding error of the
    division (1 s at 30 frames a second is 30 intervals, not 31).
    """
    return math.ceil(duration_s / frame_interval_s - 1e-9)


@dataclass(frozen=True, eq=False)
class TrackerParams:
    """Scores (per label code) and limits of the tracker.

    A detection at or above `thresholds[label]` takes part in the first association and can start a track; one
    below it, but not below `floors[label]`, can only carry a track on.
    """

    thresholds: FloatArray
    floors: FloatArray
    buffer_frames: int
    """A confirmed track ends when it went without a detection for more frames than this."""
    min_hits: int
    high_match_iou: float
    low_match_iou: float

    @classmethod
    def from_config(
        cls,
        config: TrackerConfig,
        thresholds: Sequence[float],
        floors: Sequence[float],
        frame_interval_s: float,
    ) -> Self:
        """Parameters for a video with that time between frames; scores are given by label code."""
        return cls(
            # Scores are float32, and a score that equals its threshold must reach it.
            thresholds=np.asarray(thresholds, np.float32),
            floors=np.asarray(floors, np.float32),
            buffer_frames=frames_covering(config.buffer_s, frame_interval_s),
            min_hits=config.min_hits,
            high_match_iou=config.high_match_iou,
            low_match_iou=config.low_match_iou,
        )
