"""A detector from all of its configuration: models, tiles, views, and how their opinions are merged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from anonflow.config import DetectorConfig, MemberConfig, MergeConfig, ModelConfig
from anonflow.detect.augment import Resized, views
from anonflow.detect.base import Detector
from anonflow.detect.ensemble import Ensemble
from anonflow.detect.families import build_detector
from anonflow.detect.tiles import Tiled

Load = Callable[[ModelConfig], bytes]


def open_detector(config: DetectorConfig, load: Load, labels: tuple[str, ...], provider: str) -> Detector:
    """The detector that `config` describes, ready to run on `provider`; `load` gives verified weights.

    Each model looks at tiles, if those are on, of each view; a model's views are merged first, then the models.
    Raises as `build_detector` and `load` do.
    """
    own = _model(config, load, labels, provider)
    if not config.members:
        return own
    others = [
        Resized(_model(_alone(config, member), load, labels, provider), max_long_side_px=member.long_side_px)
        for member in config.members.values()
    ]
    weights = (1.0, *(member.weight for member in config.members.values()))
    return Ensemble((own, *others), weights, config.merge, config.floor)


def _alone(config: DetectorConfig, member: MemberConfig) -> DetectorConfig:
    """The member as a detector of its own, which looks in the same way."""
    return replace(
        config,
        model=member.model,
        floor=member.floor,
        nms_iou=member.nms_iou,
        threshold=max(config.threshold, member.floor),
        keep_threshold=max(config.keep_threshold, member.floor),
        members={},
        merge=MergeConfig(),
    )


def _model(config: DetectorConfig, load: Load, labels: tuple[str, ...], provider: str) -> Detector:
    """One model with its tiles and views."""
    detector: Detector = build_detector(config, load(config.model), labels, provider)
    if config.tiles.enabled:
        detector = Tiled(detector, config.tiles, config.nms_iou)
    seen = views(detector, config.augment)
    if len(seen) == 1:
        return detector
    return Ensemble(tuple(seen), (1.0,) * len(seen), config.augment.merge, config.floor)
