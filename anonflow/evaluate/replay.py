"""Mask plans from kept detections, as a run would make them with other thresholds and margins.

Sweeps and calibration ask for many; detections and pixels stay as they are. For the same configuration, the plan is
the run's own, box by box (a test compares them).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from anonflow.config import HidingConfig
from anonflow.evaluate.areas import Reals
from anonflow.evaluate.case import Case
from anonflow.evaluate.exposure import leaks
from anonflow.evaluate.masks import counted_rows, subset
from anonflow.evaluate.methods import hidden_points
from anonflow.evaluate.truth import Scene
from anonflow.track.configured import grading, margins, operators
from anonflow.track.grade import grade
from anonflow.track.operators import TrackFacts, View
from anonflow.track.rules import ExtendAtEdge, PlateContext
from anonflow.track.stabilise import mask_plan, stabilise
from anonflow.track.timeline import Timeline
from anonflow.track.tracker import points
from anonflow.types import FrameFacts, MaskPlan, Tracks

_RULES_OF_ONE_PICTURE = (ExtendAtEdge, PlateContext)


def replayed(scene: Scene, config: HidingConfig, *, is_video: bool) -> MaskPlan:
    """What a run with this configuration hides. Its `labels` are the scene's."""
    return mask_plan(_points(scene, config, is_video), margins(config), scene.width, scene.height)


def leak_counts(case: Case, config: HidingConfig, code: int, covered_share: float, margin_grid: Reals) -> Reals:
    """Object-frames that leak (n_margins,) of the label at the configured thresholds, and each of these margins."""
    scene = case.scene
    hidden = _points(scene, config, case.is_video)
    there = subset(scene.truth, counted_rows(case, [code]))
    counts = []
    for margin in margin_grid.tolist():
        shares = [margin if n == code else own for n, own in enumerate(margins(config))]
        plan = mask_plan(hidden, shares, scene.width, scene.height)
        counts.append(int(leaks(there, plan, covered_share).sum()))
    return np.array(counts, np.float64)


def with_threshold(config: HidingConfig, label: str, threshold: float) -> HidingConfig:
    """The configuration with another threshold for the detectors of a label; nothing is kept on above it."""
    detectors = {
        name: replace(
            d,
            threshold=max(threshold, d.floor),
            keep_threshold=max(d.floor, min(d.keep_threshold, threshold)),
        )
        if label in d.model.classes.values()
        else d
        for name, d in config.detector.items()
    }
    return replace(config, detector=detectors)


def _points(scene: Scene, config: HidingConfig, is_video: bool) -> Tracks:
    return hidden_points(scene, config) if is_video else _picture_points(scene, config)


def _picture_points(scene: Scene, config: HidingConfig) -> Tracks:
    """As the album's stage: what is detected is hidden; there is no time before and after."""
    facts = FrameFacts(np.zeros(1, np.int64), scene.luma, np.zeros(1, np.bool_))
    seen = grade(scene.detections, facts, grading(config), scene.width, scene.height)
    seen = seen[seen.high]
    tracks = points(seen, np.arange(len(seen)))
    moment = Timeline.even(1, 1.0)
    view = View(moment, scene.width, scene.height, TrackFacts.of(tracks, moment))
    steps = [step for step in operators(config) if isinstance(step, _RULES_OF_ONE_PICTURE)]
    return stabilise(tracks, steps, view, 0, 1)
