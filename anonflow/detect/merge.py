"""Several opinions about one picture become one set of boxes: union, vote, weighted box fusion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anonflow.config import MergeConfig
from anonflow.detect.nms import suppress
from anonflow.types import Boxes, FloatArray, IntArray

Reals = NDArray[np.float64]


def merge(opinions: Sequence[Boxes], weights: Sequence[float], config: MergeConfig, floor: float) -> Boxes:
    """The boxes of all `opinions` (models or views of one picture) as one set, highest score first.

    `union`: all boxes, less those that overlap a better one of their class: a miss needs all to miss. `vote`: the
    same, of objects that `min_votes` opinions have. `wbf`: weighted box fusion; scores fall where opinions are
    silent. `weights` count for `wbf` alone. What scores below `floor` is left out. The result does not depend on
    anything but these boxes; equal scores keep the order of the opinions.
    """
    together = Boxes.concat(opinions)
    if config.method == "union" or not len(together):
        return suppress(together, config.min_iou)
    voices = np.repeat(np.arange(len(opinions)), [len(boxes) for boxes in opinions])
    order = np.argsort(-together.scores, kind="stable")
    together, voices = together[order], voices[order]
    if config.method == "vote":
        return _voted(together, voices, config)
    fused = _fused(together, voices, np.asarray(weights, np.float64), config.min_iou)
    fused = fused[np.argsort(-fused.scores, kind="stable")]
    return fused[fused.scores >= np.float32(floor)]


def ious(a: FloatArray | Reals, b: FloatArray | Reals) -> Reals:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4) that have areas."""
    a64, b64 = a.astype(np.float64)[:, None], b.astype(np.float64)[None]
    sides = np.minimum(a64[..., 2:], b64[..., 2:]) - np.maximum(a64[..., :2], b64[..., :2])
    shared = np.prod(np.maximum(sides, 0), axis=2)
    of_a, of_b = (np.prod(boxes[..., 2:] - boxes[..., :2], axis=2) for boxes in (a64, b64))
    ratio: Reals = shared / (of_a + of_b - shared)
    return ratio


def _voted(boxes: Boxes, voices: IntArray, config: MergeConfig) -> Boxes:
    """Of each object, the best box, if enough opinions have one that overlaps it."""
    kept = suppress(boxes, config.min_iou)
    same = (ious(kept.xyxy, boxes.xyxy) > config.min_iou) & (kept.classes[:, None] == boxes.classes)
    has = np.stack([same[:, voices == voice].any(axis=1) for voice in np.unique(voices)], axis=1)
    return kept[has.sum(axis=1) >= config.min_votes]


def _fused(boxes: Boxes, voices: IntArray, weights: Reals, min_iou: float) -> Boxes:
    """Weighted box fusion (Solovyev et al., Image and Vision Computing 107, 2021), without the paper's test splits.

    By falling weighted score each box joins the fused box that it overlaps most, by more than `min_iou`, or founds
    one. A fused box is the mean of its boxes by weighted score; its score is the mean of theirs by weight, times
    the share of all weight that speaks for it, so an object that half of the opinions have scores half.
    """
    weighted = boxes.scores.astype(np.float64) * weights[voices]
    order = np.argsort(-weighted, kind="stable")
    clusters: list[list[int]] = []
    centres, classes = np.zeros((len(boxes), 4)), np.zeros(len(boxes), np.int16)
    for row in order.tolist():
        n = len(clusters)
        overlaps = np.where(
            classes[:n] == boxes.classes[row], ious(boxes.xyxy[row : row + 1], centres[:n])[0], -1.0
        )
        best = int(np.argmax(overlaps)) if n else 0
        if not n or overlaps[best] <= min_iou:
            best = n
            clusters.append([])
            classes[best] = boxes.classes[row]
        clusters[best].append(row)
        rows = clusters[best]
        centres[best] = np.average(boxes.xyxy[rows].astype(np.float64), axis=0, weights=weighted[rows])
    scores = [_fused_score(weighted[rows], weights[voices[rows]], float(weights.sum())) for rows in clusters]
    n = len(clusters)
    return Boxes(centres[:n].astype(np.float32), np.array(scores, np.float32), classes[:n])


def _fused_score(weighted: Reals, weights: Reals, total: float) -> float:
    """Mean score by weight, times the share of the weight of all opinions; two boxes of one opinion count once."""
    spoken = float(weights.sum())
    return float(weighted.sum()) / spoken * min(spoken, total) / total
