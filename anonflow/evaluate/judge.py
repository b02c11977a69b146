"""All metrics of a set of cases, nested as `metrics.json` has them, with the tables and curves behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from anonflow.evaluate import tracking as mot
from anonflow.evaluate.case import Case
from anonflow.evaluate.detection import Detected, detect_metrics
from anonflow.evaluate.intervals import Bootstrap
from anonflow.evaluate.masks import MaskCounts, count_masks, coverage, pool_counts
from anonflow.evaluate.match import Flags
from anonflow.evaluate.precision import Curve
from anonflow.evaluate.slices import Slice, members, slices, worst

Metrics = dict[str, Any]
ALL = "all"
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Settings:
    """How is judged."""

    iou: float = 0.5
    covered_share: float = 0.9
    min_count: int = 20
    bootstrap: Bootstrap = field(default_factory=Bootstrap)


@dataclass(frozen=True, eq=False)
class Judgement:
    """Metrics by group, label and name; the groups of objects, curves, and counts of each case by label."""

    metrics: Metrics
    slices: tuple[Slice, ...]
    curves: Mapping[str, Curve]
    counts: Mapping[str, tuple[MaskCounts, ...]]
    detected: Mapping[str, Detected]


def judge(
    cases: Sequence[Case],
    labels: tuple[str, ...],
    judged: Sequence[str],
    thresholds: Mapping[str, float],
    how: Settings,
) -> Judgement:
    """Judge all cases; `labels` name the codes, of which `judged` are annotated, at these score `thresholds`."""
    detected = {
        label: detect_metrics(cases, labels.index(label), thresholds[label], how.iou, how.bootstrap)
        for label in judged
    }
    counts, groups, masks = {}, [], {}
    for label in judged:
        code = labels.index(label)
        counts[label] = tuple(count_masks(case, [code], how.covered_share) for case in cases)
        masks[label] = mask_metrics(counts[label], how.bootstrap)
        groups += _slices(cases, label, code, detected[label], how)
    if len(judged) > 1:
        codes = [labels.index(label) for label in judged]
        counts[ALL] = tuple(count_masks(case, codes, how.covered_share) for case in cases)
        masks[ALL] = mask_metrics(counts[ALL], how.bootstrap)
    metrics: Metrics = {"detection": {label: d.metrics for label, d in detected.items()}, "masks": masks}
    if any(case.is_video for case in cases):
        metrics["tracking"] = {label: track_metrics(cases, labels.index(label), how.iou) for label in judged}
    if lowest := worst(groups):
        metrics["worst_group"] = {
            "label": lowest.label, "by": lowest.by, "group": lowest.group, "leak_rate": lowest.leak_rate,
            "recall": lowest.recall, "object_frames": lowest.object_frames,
        }  # fmt: skip
    curves = {label: d.curve for label, d in detected.items()}
    return Judgement(metrics, tuple(groups), curves, counts, detected)


def mask_metrics(parts: Sequence[MaskCounts], bootstrap: Bootstrap) -> Metrics:
    """What masks leave of the objects; times and tracks over videos only."""
    whole = pool_counts(parts)
    e = whole.exposure
    leaking = np.array([part.exposure.leaking_frames for part in parts], np.float64)
    frames = np.array([part.exposure.object_frames for part in parts], np.float64)
    metrics: Metrics = {
        "object_frames": e.object_frames,
        "objects": e.objects,
        "coverage": whole.coverage,
        "leak_rate": _share(e.leaking_frames, e.object_frames),
        "leaked_objects": e.leaked_objects,
        "leaked_object_rate": _share(e.leaked_objects, e.objects),
        "missed_objects": whole.missed_objects,
        "over_mask_share": _share(e.over_mask_frames, e.frames),
        "intervals": {
            "leak_rate": bootstrap.of_ratio(leaking, frames),
            "leaked_object_rate": bootstrap.of_ratio(
                np.array([p.exposure.leaked_objects for p in parts], np.float64),
                np.array([p.exposure.objects for p in parts], np.float64),
            ),
            "over_mask_share": bootstrap.of_ratio(
                np.array([p.exposure.over_mask_frames for p in parts]),
                np.array([p.exposure.frames for p in parts], np.float64),
            ),
        },
    }
    if whole.video_s:
        metrics |= {
            "exposure_s": e.leaking_s,
            "longest_exposure_s": e.longest_s,
            "flicker_per_min": _share(60 * e.changes, e.presence_s),
            "tracks": whole.tracks,
            "false_tracks": whole.false_tracks,
            "false_tracks_per_h": whole.false_tracks_per_h,
        }
    return metrics


def track_metrics(cases: Sequence[Case], code: int, least_iou: float) -> Metrics:
    """HOTA and the others over all videos."""
    parts = []
    for case in (case for case in cases if case.is_video):
        truth, tracks = case.scene.truth, case.tracks
        there, here = np.flatnonzero(truth.labels == code), np.flatnonzero(tracks.labels == code)
        objects = mot.Boxes(truth.frames[there], truth.object_ids[there], truth.xyxy[there].astype(np.float64))
        boxes = mot.Boxes(tracks.frames[here], tracks.track_ids[here], tracks.xyxy[here].astype(np.float64))
        parts.append(mot.tracking(*mot.without_ignored(objects, case.ignored[there], boxes), least_iou))
    whole = mot.pool(parts)
    return {
        "hota": whole.hota,
        "det_a": whole.det_a,
        "ass_a": whole.ass_a,
        "loc_a": whole.loc_a,
        "idf1": whole.idf1,
        "mota": whole.mota,
        "id_switches": whole.switches,
        "fragments": whole.fragments,
    }


def _slices(cases: Sequence[Case], label: str, code: int, detected: Detected, how: Settings) -> list[Slice]:
    leaking = [_leaking(case, how.covered_share) for case in cases]
    of = members(cases, code, detected.found, leaking)
    return slices(label, of, len(cases), how.bootstrap, how.min_count)


def _leaking(case: Case, covered_share: float) -> Flags:
    below: Flags = coverage(case) < covered_share - _ROUNDING
    return below


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
