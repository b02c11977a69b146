"""From configuration to domain: labels become codes, names become trackers, gradings and operators."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anonflow.config import ChunkConfig, DetectorConfig, HidingConfig, TrackerConfig
from anonflow.track.grade import Grading
from anonflow.track.operators import DropTracks, ExtendEnds, FillGaps, Operator, Smooth
from anonflow.track.params import AppearanceParams, TrackerParams
from anonflow.track.rules import BridgeNeighbours, ExtendAtEdge, PlateContext
from anonflow.track.timeline import Timeline
from anonflow.types import FloatArray, FrameFacts, FrameIndex

_WARM_FRAMES = 16
"""Overlap that makes most seams need little: more costs more detection than it saves (measured, see conf/chunk)."""


def timeline(index: FrameIndex, facts: FrameFacts) -> Timeline:
    """The video's time, with the cuts that `facts` tell of; other frames count as going on."""
    cuts: NDArray[np.bool_] = np.zeros(index.n_frames, np.bool_)
    cuts[facts.frames] = facts.cuts
    return Timeline.of(index.pts, index.time_base, index.end_pts, cuts)


def overlap_frames(chunk: ChunkConfig, tracker: TrackerConfig) -> int:
    """Frames that a chunk reads before its own: at least one, from which its first frame may be a cut."""
    if chunk.overlap_frames is not None:
        return max(1, chunk.overlap_frames)
    return _WARM_FRAMES + (tracker.appearance.gallery if tracker.appearance else 0)


def tracker_params(tracker: TrackerConfig) -> TrackerParams:
    """The tracker that is configured."""
    looks = tracker.appearance
    return TrackerParams(
        buffer_s=tracker.buffer_s,
        min_hits=tracker.min_hits,
        high_match_iou=tracker.high_match_iou,
        low_match_iou=tracker.low_match_iou,
        max_speed_sides_per_s=tracker.max_speed_sides_per_s,
        appearance=AppearanceParams(looks.max_cosine_distance, looks.gallery) if looks else None,
    )


def grading(config: HidingConfig) -> Grading:
    """What scores and sizes mean."""
    labels = [config.label[label] for label in config.labels]
    return Grading(
        start=by_label(config, lambda detector: detector.threshold),
        keep=by_label(config, lambda detector: detector.keep_threshold),
        lowest=by_label(config, lambda detector: detector.floor),
        hidden=np.array([label.hide for label in labels], np.bool_),
        min_side_px=np.array([label.min_side_px for label in labels], np.float32),
        max_side_share=np.array([label.max_side_share for label in labels], np.float32),
        adaptive=config.adaptive,
    )


def operators(config: HidingConfig) -> list[Operator]:
    """The steps from tracks to masks that are on, in their order."""
    stabilise, rules = config.stabilise, config.rules
    bridge, edge, context = rules.bridge_neighbours, rules.extend_at_edge, rules.plate_context
    steps: list[tuple[bool, Operator]] = [
        (
            context.enabled and context.label in config.labels,
            PlateContext(
                _code(config, context.label), context.vehicle_widths, context.min_visible, context.keep_duration_s
            ),
        ),
        (
            stabilise.drop.min_duration_s > 0 and stabilise.drop.min_score > 0,
            DropTracks(stabilise.drop.min_duration_s, stabilise.drop.min_score),
        ),
        (stabilise.max_gap_s > 0, FillGaps(stabilise.max_gap_s)),
        (bridge.enabled, BridgeNeighbours(bridge.min_iou)),
        (
            stabilise.extend_before_s > 0 or stabilise.extend_after_s > 0,
            ExtendEnds(stabilise.extend_before_s, stabilise.extend_after_s, stabilise.extend_motion_s),
        ),
        (stabilise.smooth_sigma_s > 0, Smooth(stabilise.smooth_sigma_s)),
        (edge.enabled, ExtendAtEdge(tuple(_code(config, label) for label in edge.labels), edge.within)),
    ]
    return [operator for is_on, operator in steps if is_on]


def margins(config: HidingConfig) -> list[float]:
    """Mask margin by label code, as a share of the box."""
    return [config.mask[label].margin for label in config.labels]


def by_label(config: HidingConfig, value: Callable[[DetectorConfig], float]) -> FloatArray:
    """The lowest `value` among the detectors that give each label, by label code."""
    lowest = [
        min(value(d) for d in config.detector.values() if label in d.model.classes.values())
        for label in config.labels
    ]
    return np.array(lowest, np.float32)


def _code(config: HidingConfig, label: str) -> int:
    """The label's code; -1, which no detection has, for a label that no detector gives."""
    return config.labels.index(label) if label in config.labels else -1
