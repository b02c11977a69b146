"""What a detection's score means: nothing, carrying a track on, or starting one; and which sizes are no object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anonflow.config import AdaptiveConfig
from anonflow.types import Detections, FloatArray, FrameFacts, IntArray, Observations


def factors(adaptive: AdaptiveConfig, luma: FloatArray, n_objects: IntArray) -> FloatArray:
    """By what each frame (n,) lowers its thresholds, from its mean luma 0..1 and its number of objects.

    Two straight lines between their ends, constant outside, multiplied.
    """
    dark = np.interp(luma, (adaptive.dark_luma, adaptive.bright_luma), (adaptive.dark_factor, 1.0))
    ends = (adaptive.sparse_objects, adaptive.crowded_objects)
    crowd = np.interp(n_objects, ends, (1.0, adaptive.crowd_factor))
    return (dark * crowd).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Grading:
    """Scores and sizes by label code."""

    start: FloatArray
    """At or above it a detection starts a track."""
    keep: FloatArray
    """At or above it a detection carries a track on; below it, it is forgotten."""
    lowest: FloatArray
    """No adaption lowers a threshold below this."""
    hidden: NDArray[np.bool_]
    """Detections of other labels are dropped."""
    min_side_px: FloatArray
    """A box whose shorter side is less is dropped."""
    max_side_share: FloatArray
    """A box whose width or height is a larger share of the picture's is dropped."""
    adaptive: AdaptiveConfig


def grade(detections: Detections, facts: FrameFacts, grading: Grading, width: int, height: int) -> Observations:
    """What a tracker sees of the detections in a picture of `width` x `height` px.

    `facts` tell of every frame that has detections. The grade of a detection depends on its own frame alone.
    """
    labels = detections.labels
    start, keep = _thresholds(detections, facts, grading)
    plausible = _plausible(detections, grading, width, height)
    rows = np.flatnonzero((detections.scores >= keep) & plausible)
    first_of_frame = np.searchsorted(detections.frames, detections.frames[rows])
    return Observations(
        frames=detections.frames[rows],
        xyxy=detections.xyxy[rows],
        scores=detections.scores[rows],
        labels=labels[rows],
        high=detections.scores[rows] >= start[rows],
        places=(rows - first_of_frame).astype(np.int16),
    )


def _thresholds(detections: Detections, facts: FrameFacts, grading: Grading) -> tuple[FloatArray, FloatArray]:
    """The start and the keep threshold (n,) of each detection."""
    start, keep = grading.start[detections.labels], grading.keep[detections.labels]
    if not grading.adaptive.enabled:
        return start, keep
    frames, position = np.unique(detections.frames, return_inverse=True)
    n_objects = np.bincount(position[detections.scores >= start], minlength=len(frames))
    luma = facts.luma[np.searchsorted(facts.frames, frames)]
    factor = factors(grading.adaptive, luma, n_objects)[position]
    lowest = grading.lowest[detections.labels]
    return np.maximum(start * factor, np.minimum(lowest, start)), np.maximum(
        keep * factor, np.minimum(lowest, keep)
    )


def _plausible(detections: Detections, grading: Grading, width: int, height: int) -> NDArray[np.bool_]:
    sides = detections.xyxy[:, 2:] - detections.xyxy[:, :2]
    shares = sides / np.array((width, height), np.float32)
    small = sides.min(axis=1) < grading.min_side_px[detections.labels]
    large = shares.max(axis=1) > grading.max_side_share[detections.labels]
    plausible: NDArray[np.bool_] = grading.hidden[detections.labels] & ~(small | large)
    return plausible
