"""Precision, recall and their averages over scores, from matched detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anonflow.evaluate.areas import Reals
from anonflow.evaluate.match import Found, Matches, Wanted, iou
from anonflow.types import IntArray

_RECALLS = np.linspace(0, 1, 101)
_LEVELS = 1000
"""Score thresholds of WIDER FACE's protocol."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision and recall (n,) when all detections down to each score (n,) count; scores fall."""

    scores: Reals
    precision: Reals
    recall: Reals
    false: Reals
    """False detections so far."""
    missed: Reals
    """Objects not found so far."""


def curve(matches: Matches, level: int = 0) -> Curve:
    """The curve at one IoU threshold."""
    counts = ~matches.ignored[level]
    hits = np.cumsum(matches.hits[level] & counts).astype(np.float64)
    false = np.cumsum(~matches.hits[level] & counts).astype(np.float64)
    recall = hits / matches.n_wanted if matches.n_wanted else np.full(len(hits), np.nan)
    total = hits + false
    precision = np.divide(hits, total, out=np.zeros_like(hits), where=total > 0)
    return Curve(matches.scores, precision, recall, false, matches.n_wanted - hits)


def coco_ap(matches: Matches) -> Reals:
    """Average precision (t,) at each IoU threshold: the mean over 101 recalls of the best precision from there on.

    NaN where no object counts. As pycocotools' `accumulate` (COCO evaluation).
    """
    if not matches.n_wanted:
        return np.full(len(matches.ious), np.nan)
    return np.array([coco_average(matches, level, matches.n_wanted) for level in range(len(matches.ious))])


def coco_average(matches: Matches, level: int, n_wanted: float, weights: Reals | None = None) -> float:
    """`coco_ap` at one IoU threshold; a picture counts `weights` (pictures,) times, its objects in `n_wanted`."""
    counts = ~matches.ignored[level]
    hit = matches.hits[level] & counts
    weight = 1.0 if weights is None else weights[matches.pictures]
    hits, false = np.cumsum(weight * hit), np.cumsum(weight * (counts & ~hit))
    if not len(hits) or n_wanted <= 0:
        return 0.0 if n_wanted > 0 else float("nan")
    precision = hits / (hits + false + np.spacing(1))
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(hits / n_wanted, _RECALLS, side="left")
    return float(np.where(places < len(hits), best_from_here[np.minimum(places, len(hits) - 1)], 0.0).mean())


def area_under(recall: Reals, precision: Reals) -> float:
    """Area under the curve made monotonic, at every recall: as the VOC devkit from 2010 on, and WIDER FACE's."""
    recall = np.concatenate(([0.0], recall, [1.0]))
    precision = np.maximum.accumulate(np.concatenate(([0.0], precision, [0.0]))[::-1])[::-1]
    steps = np.flatnonzero(np.diff(recall))
    return float(((recall[steps + 1] - recall[steps]) * precision[steps + 1]).sum())


def voc_ap(found: Found, wanted: Wanted, least_iou: float = 0.5) -> float:
    """Average precision of Pascal VOC (Everingham et al., IJCV 2015), over all points of the curve.

    Each detection has but one chance, the object that it overlaps most: if that is taken, it is false. Sides are
    lengths here, not counts of px as in the devkit. NaN where no object counts.
    """
    if not (~wanted.ignored).any():
        return float("nan")
    order = np.argsort(-found.scores, kind="stable")
    best, overlap = _best_objects(found, wanted)
    best, overlap = best[order], overlap[order]
    near = overlap >= least_iou
    counts = ~(near & wanted.ignored[best]) if len(wanted) else np.ones(len(order), np.bool_)
    hits = near & counts
    first = np.zeros(len(order), np.bool_)
    first[np.flatnonzero(hits)[np.unique(best[hits], return_index=True)[1]]] = True
    true, false = np.cumsum(first), np.cumsum(counts & ~first)
    n_wanted = (~wanted.ignored).sum()
    return area_under(true / n_wanted, true / np.maximum(true + false, 1))


def wider_ap(found: Found, wanted: Wanted, least_iou: float = 0.5) -> float:
    """Average precision by WIDER FACE's published protocol (its `evaluation.m`).

    Scores are stretched to 0..1 over all pictures and cut at 1000 thresholds; a detection goes to the face that it
    overlaps most, px counted inclusively; on an ignored face it counts for nothing, on one that is found already it
    finds nothing more and still counts as a proposal: a false one.
    """
    n_wanted = int((~wanted.ignored).sum())
    if not n_wanted:
        return float("nan")
    if not len(found):
        return 0.0
    low, high = found.scores.min(), found.scores.max()
    scores = (found.scores - low) / (high - low) if high > low else np.ones(len(found))
    order = np.argsort(-scores, kind="stable")
    best, overlap = _best_objects(found, wanted, inclusive=True)
    best, overlap, scores = best[order], overlap[order], scores[order]
    near = overlap >= least_iou
    proposes = ~(near & wanted.ignored[best]) if len(wanted) else np.ones(len(order), np.bool_)
    hits = near & proposes
    first = np.zeros(len(order), np.bool_)
    first[np.flatnonzero(hits)[np.unique(best[hits], return_index=True)[1]]] = True
    thresholds = 1 - (np.arange(_LEVELS) + 1) / _LEVELS
    ends = np.searchsorted(-scores, -thresholds, side="right")
    true = np.concatenate(([0], np.cumsum(first)))[ends]
    proposals = np.concatenate(([0], np.cumsum(proposes)))[ends]
    precision = np.divide(true, proposals, out=np.zeros(_LEVELS), where=proposals > 0)
    return area_under(true / n_wanted, precision)


def _best_objects(found: Found, wanted: Wanted, *, inclusive: bool = False) -> tuple[IntArray, Reals]:
    """The object (n,) that each detection overlaps most, and by how much (n,); 0 and 0 where there is none."""
    best, overlap = np.zeros(len(found), np.int64), np.zeros(len(found))
    grow = np.array([0, 0, 1, 1]) if inclusive else np.zeros(4)
    rows_of, there_of = np.argsort(found.pictures, kind="stable"), np.argsort(wanted.pictures, kind="stable")
    for picture in np.unique(found.pictures).tolist():
        rows = rows_of[slice(*np.searchsorted(found.pictures[rows_of], [picture, picture + 1]))]
        there = there_of[slice(*np.searchsorted(wanted.pictures[there_of], [picture, picture + 1]))]
        if len(there):
            shared = iou(found.xyxy[rows] + grow, wanted.xyxy[there] + grow)
            place = shared.argmax(axis=1)
            best[rows], overlap[rows] = there[place], shared[np.arange(len(rows)), place]
    return best, overlap


@dataclass(frozen=True)
class Operating:
    """Counts at one score threshold, and what follows from them."""

    hits: float
    false: float
    missed: float

    @property
    def precision(self) -> float:
        """Share of the detections that are true."""
        return ratio(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float:
        """Share of the objects that are found."""
        return ratio(self.hits, self.hits + self.missed)

    def f_score(self, beta: float) -> float:
        """F-measure: recall counts `beta` times as much as precision (van Rijsbergen, 1979)."""
        weighted = (1 + beta**2) * self.hits
        return ratio(weighted, weighted + beta**2 * self.missed + self.false)


def operating(matches: Matches, threshold: float, level: int = 0) -> Operating:
    """The counts of all detections from `threshold` up."""
    counted = (matches.scores >= threshold) & ~matches.ignored[level]
    hits = int((matches.hits[level] & counted).sum())
    return Operating(hits, int(counted.sum()) - hits, matches.n_wanted - hits)


@dataclass(frozen=True)
class Confusion:
    """Pictures (or frames) with and without objects, against pictures with and without detections."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def false_positive_rate(self) -> float:
        """Share of the pictures without objects in which something is detected; NaN without such pictures."""
        return ratio(self.false_positive, self.false_positive + self.true_negative)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the shares of both kinds that are told right; NaN if one kind is missing."""
        positive = ratio(self.true_positive, self.true_positive + self.false_negative)
        return (positive + 1 - self.false_positive_rate) / 2

    @property
    def matthews(self) -> float:
        """Matthews' correlation coefficient; NaN if a row or column of the table is empty."""
        tp, fp, fn, tn = self.true_positive, self.false_positive, self.false_negative, self.true_negative
        below = float(tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return (tp * tn - fp * fn) / below**0.5 if below else float("nan")


def confusion(matches: Matches, wanted: Wanted, n_pictures: int, threshold: float, level: int = 0) -> Confusion:
    """Which pictures have objects and which detections; those with nothing but ignored objects are left out."""
    has = np.zeros(n_pictures, np.bool_)
    unclear = np.zeros(n_pictures, np.bool_)
    has[wanted.pictures[~wanted.ignored]] = True
    unclear[wanted.pictures[wanted.ignored]] = True
    says = np.zeros(n_pictures, np.bool_)
    says[matches.pictures[(matches.scores >= threshold) & ~matches.ignored[level]]] = True
    judged = has | ~unclear
    return Confusion(
        int((has & says & judged).sum()),
        int((~has & says & judged).sum()),
        int((has & ~says & judged).sum()),
        int((~has & ~says & judged).sum()),
    )


def ratio(part: float, whole: float) -> float:
    """`part / whole`; NaN of nothing."""
    return part / whole if whole else float("nan")
