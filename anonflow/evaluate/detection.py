"""Detection of one label over all cases: averages over scores, one operating point, sizes, frames as negatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from anonflow.evaluate.areas import Reals, areas
from anonflow.evaluate.case import Case
from anonflow.evaluate.intervals import Bootstrap
from anonflow.evaluate.match import COCO_IOUS, Flags, Found, Matches, Wanted, match
from anonflow.evaluate.precision import (
    Curve,
    coco_ap,
    coco_average,
    confusion,
    curve,
    operating,
    ratio,
    voc_ap,
    wider_ap,
)
from anonflow.types import IntArray

COCO_AREAS_PX = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
HEIGHTS_PX = (0, 16, 32, 64, 128)
WIDER_LEVELS = ("easy", "medium", "hard")
DIFFICULTY = "difficulty"
"""Attribute that tells WIDER FACE's levels."""


@dataclass(frozen=True, eq=False)
class Detected:
    """Metrics, the curve at the IoU threshold, and for each case which rows of its truth are found (n,)."""

    metrics: dict[str, Any]
    curve: Curve
    found: tuple[Flags, ...]


@dataclass(frozen=True, eq=False)
class _Label:
    """All detections and objects of a label; pictures are frames of cases, numbered on."""

    found: Found
    wanted: Wanted
    areas: Reals
    case_of_picture: IntArray
    rows: tuple[IntArray, ...]
    levels: Any
    """(m,) WIDER FACE's level of each object."""

    @property
    def n_pictures(self) -> int:
        return len(self.case_of_picture)


def detect_metrics(
    cases: Sequence[Case], code: int, threshold: float, least_iou: float, bootstrap: Bootstrap
) -> Detected:
    """All metrics of detection of the label `code`; `threshold` is the score of the operating point."""
    label = _gather(cases, code)
    ious = np.concatenate(([least_iou], COCO_IOUS))
    matches = match(label.found, label.wanted, ious)
    ap = coco_ap(matches)
    point = operating(matches, threshold)
    metrics: dict[str, Any] = {
        "objects": matches.n_wanted,
        "iou": least_iou,
        "threshold": threshold,
        "ap": float(ap[1:].mean()),
        "ap50": float(ap[1]),
        "voc_ap": voc_ap(label.found, label.wanted),
        "precision": point.precision,
        "recall": point.recall,
        "f1": point.f_score(1),
        "f2": point.f_score(2),
        "recall_at_floor": ratio(int(matches.hits[0].sum()), matches.n_wanted),
        "size": _by_size(label, threshold, least_iou),
        "height": _by_height(label, matches, threshold),
        "frames": _by_frame(label, matches, threshold),
        "intervals": _intervals(label, matches, threshold, len(cases), bootstrap),
    }
    if np.isin(label.levels, WIDER_LEVELS).any():
        metrics["wider"] = {level: _wider(label, level) for level in WIDER_LEVELS}
    return Detected(metrics, curve(matches), _found_rows(cases, label, matches, threshold))


def _gather(cases: Sequence[Case], code: int) -> _Label:
    firsts = np.cumsum([0, *(case.scene.n_frames for case in cases)])
    rows = tuple(np.flatnonzero(case.scene.truth.labels == code) for case in cases)
    seen = [case.scene.detections for case in cases]
    chosen = [np.flatnonzero(d.labels == code) for d in seen]
    found = Found(
        _joined([first + d.frames[r] for first, d, r in zip(firsts[:-1], seen, chosen, strict=True)], np.int64),
        _joined([d.xyxy[r] for d, r in zip(seen, chosen, strict=True)]).reshape(-1, 4),
        _joined([d.scores[r] for d, r in zip(seen, chosen, strict=True)]),
    )
    truths = [case.scene.truth for case in cases]
    wanted = Wanted(
        _joined([first + t.frames[r] for first, t, r in zip(firsts[:-1], truths, rows, strict=True)], np.int64),
        _joined([t.xyxy[r] for t, r in zip(truths, rows, strict=True)]).reshape(-1, 4),
        _joined([case.ignored[r] for case, r in zip(cases, rows, strict=True)], np.bool_),
        _joined([case.crowd[r] for case, r in zip(cases, rows, strict=True)], np.bool_),
    )
    levels = _joined([_level(case, r) for case, r in zip(cases, rows, strict=True)], np.object_)
    areas_px = _joined([case.areas[r] for case, r in zip(cases, rows, strict=True)])
    case_of_picture = np.repeat(np.arange(len(cases)), np.diff(firsts))
    return _Label(found, wanted, areas_px, case_of_picture, rows, levels)


def _level(case: Case, rows: IntArray) -> Any:
    words = case.attributes.get(DIFFICULTY)
    return np.full(len(rows), "", np.object_) if words is None else words[rows]


def _joined(parts: Sequence[Any], kind: Any = np.float64) -> Any:
    return np.concatenate([np.zeros((0, *parts[0].shape[1:]), kind), *(part.astype(kind) for part in parts)])


def _by_size(label: _Label, threshold: float, least_iou: float) -> dict[str, Any]:
    """As COCO: objects of other sizes are ignored, and so are detections of other sizes that find nothing."""
    made = {}
    found_areas = areas(label.found.xyxy)
    for name, (low, high) in COCO_AREAS_PX.items():
        others = (label.areas < low) | (label.areas > high)
        wanted = replace(label.wanted, ignored=label.wanted.ignored | others)
        matches = match(
            label.found,
            wanted,
            np.concatenate(([least_iou], COCO_IOUS)),
            (found_areas < low) | (found_areas > high),
        )
        ap = coco_ap(matches)
        made[name] = {
            "objects": matches.n_wanted,
            "ap": float(ap[1:].mean()),
            "ap50": float(ap[1]),
            "recall": operating(matches, threshold).recall,
        }
    return made


def _by_height(label: _Label, matches: Matches, threshold: float) -> dict[str, Any]:
    heights = label.wanted.xyxy[:, 3] - label.wanted.xyxy[:, 1]
    made = {}
    for low, high in pairwise((*HEIGHTS_PX, np.inf)):
        there = matches.counted & (heights >= low) & (heights < high)
        name = f"{low}-{high} px" if np.isfinite(high) else f"{low} px and more"
        hits = int((matches.found_scores[0, there] >= threshold).sum())
        made[name] = {"objects": int(there.sum()), "recall": ratio(hits, int(there.sum()))}
    return made


def _by_frame(label: _Label, matches: Matches, threshold: float) -> dict[str, Any]:
    table = confusion(matches, label.wanted, label.n_pictures, threshold)
    return {
        "unit": "frames (a picture is one); negative: frames without objects of this label",
        "positive": table.true_positive + table.false_negative,
        "negative": table.true_negative + table.false_positive,
        "balanced_accuracy": table.balanced_accuracy,
        "mcc": table.matthews,
        "false_positive_rate": table.false_positive_rate,
    }


def _intervals(
    label: _Label, matches: Matches, threshold: float, n_cases: int, bootstrap: Bootstrap
) -> dict[str, tuple[float, float] | None]:
    counted = label.wanted.pictures[matches.counted]
    objects = np.bincount(label.case_of_picture[counted], minlength=n_cases).astype(np.float64)
    kept = (matches.scores >= threshold) & ~matches.ignored[0]
    unit = label.case_of_picture[matches.pictures]
    hits = np.bincount(unit[kept & matches.hits[0]], minlength=n_cases).astype(np.float64)
    called = np.bincount(unit[kept], minlength=n_cases).astype(np.float64)

    def ap50(weights: Reals) -> float:
        return coco_average(matches, 1, float(weights @ objects), weights[label.case_of_picture])

    return {
        "recall": bootstrap.of_ratio(hits, objects),
        "precision": bootstrap.of_ratio(hits, called),
        "f1": bootstrap.of_ratio(2 * hits, objects + called),
        "f2": bootstrap.of_ratio(5 * hits, 4 * objects + called),
        "ap50": bootstrap.interval(ap50, n_cases),
    }


def _wider(label: _Label, level: str) -> float:
    """Average precision by WIDER FACE's protocol; a level includes the easier ones."""
    own = WIDER_LEVELS[: WIDER_LEVELS.index(level) + 1]
    return wider_ap(label.found, replace(label.wanted, ignored=~np.isin(label.levels, own)))


def _found_rows(cases: Sequence[Case], label: _Label, matches: Matches, threshold: float) -> tuple[Flags, ...]:
    is_found = matches.found_scores[0] >= threshold
    made, first = [], 0
    for case, rows in zip(cases, label.rows, strict=True):
        flags = np.zeros(len(case.scene.truth), np.bool_)
        flags[rows] = is_found[first : first + len(rows)]
        first += len(rows)
        made.append(flags)
    return tuple(made)
