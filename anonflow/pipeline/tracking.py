"""The tracker's and the mask plan's parameters for one video: seconds become frames, labels become codes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from anonflow.config import AnonymizeConfig, DetectorConfig
from anonflow.track.params import TrackerParams
from anonflow.types import FloatArray, FrameIndex


def tracker_params(config: AnonymizeConfig, index: FrameIndex) -> TrackerParams:
    """Parameters of the tracker at the video's frame rate."""
    return TrackerParams.from_config(
        config.tracker,
        thresholds=thresholds(config).tolist(),
        floors=by_label(config, lambda detector: detector.floor).tolist(),
        frame_interval_s=index.frame_interval_s,
    )


def thresholds(config: AnonymizeConfig) -> FloatArray:
    """Score by label code at and above which a detection is hidden."""
    return by_label(config, lambda detector: detector.threshold)


def margins(config: AnonymizeConfig) -> list[float]:
    """Mask margin by label code, as a share of the box."""
    return [config.mask[label].margin for label in config.labels]


def by_label(config: AnonymizeConfig, value: Callable[[DetectorConfig], float]) -> FloatArray:
    """The lowest `value` among the detectors that give each label, by label code."""
    lowest = [
        min(value(d) for d in config.detector.values() if label in d.model.classes.values())
        for label in config.labels
    ]
    return np.array(lowest, np.float32)
