"""Which detection found which object: the greedy matching of the COCO evaluation (Lin et al., ECCV 2014).

In each picture, detections choose in the order of their scores, each the free object that it overlaps most. Objects
to be ignored are chosen only where no other is left, and such a detection counts neither way; a crowd takes any
number. As choices never depend on lower scores, one matching serves all score thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from anonflow.evaluate.areas import Reals, areas
from anonflow.types import IntArray

Flags = NDArray[np.bool_]
COCO_IOUS = np.linspace(0.5, 0.95, 10)
_NOTHING = -1
_BELOW_ONE = 1 - 1e-10


@dataclass(frozen=True, eq=False)
class Found:
    """Detections of one label: `pictures` (n,) numbers of their pictures, `xyxy` (n, 4) px, `scores` (n,)."""

    pictures: IntArray
    xyxy: Reals
    scores: Reals

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, rows: IntArray | Flags) -> Found:
        return Found(self.pictures[rows], self.xyxy[rows], self.scores[rows])


@dataclass(frozen=True, eq=False)
class Wanted:
    """Objects of one label: `pictures` (m,), `xyxy` (m, 4) px, `ignored` and `crowd` (m,); crowds are ignored."""

    pictures: IntArray
    xyxy: Reals
    ignored: Flags
    crowd: Flags

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of each of n detections, best score first, at each of t IoU thresholds.

    `scores`, `pictures` (n,); `hits` (t, n) found an object that counts; `ignored` (t, n) count neither way, all
    others are false. Of m objects: `counted` (m,) bool, and `found_scores` (t, m), the score of the detection that
    found each, -inf for none.
    """

    ious: Reals
    scores: Reals
    pictures: IntArray
    hits: Flags
    ignored: Flags
    counted: Flags
    found_scores: Reals

    @property
    def n_wanted(self) -> int:
        """Objects that count."""
        return int(self.counted.sum())


def match(
    found: Found,
    wanted: Wanted,
    ious: Reals = COCO_IOUS,
    beside: Flags | None = None,
    max_per_picture: int | None = None,
) -> Matches:
    """Match at each IoU threshold; `beside` (n,) detections count only if they find an object that counts.

    `max_per_picture` keeps the best of each picture only (100 in COCO's published numbers).
    """
    beside = np.zeros(len(found), np.bool_) if beside is None else beside
    order = np.lexsort((-found.scores, found.pictures))
    rows = order if max_per_picture is None else _best(order, found.pictures, max_per_picture)
    pictures, scores = found.pictures[rows], found.scores[rows]
    taken = np.full((len(ious), len(rows)), _NOTHING, np.int64)
    by_picture = np.argsort(wanted.pictures, kind="stable")
    bounds = np.flatnonzero(np.diff(pictures, prepend=-1, append=-1)) if len(rows) else np.zeros(0, np.int64)
    for first, last in pairwise(bounds.tolist()):
        low, high = np.searchsorted(wanted.pictures[by_picture], [pictures[first], pictures[first] + 1])
        there = by_picture[low:high]
        if len(there):
            there = there[np.argsort(wanted.ignored[there], kind="stable")]
            overlaps = iou(found.xyxy[rows[first:last]], wanted.xyxy[there], wanted.crowd[there])
            chosen = _choose(overlaps, ious, wanted.ignored[there], wanted.crowd[there])
            taken[:, first:last] = np.where(chosen == _NOTHING, _NOTHING, there[chosen])
    is_taken = taken != _NOTHING
    ignored = np.where(is_taken, wanted.ignored[taken] if len(wanted) else False, beside[rows])
    hits = is_taken & ~ignored
    best_first = np.argsort(-scores, kind="stable")
    return Matches(
        ious=np.asarray(ious, np.float64),
        scores=scores[best_first],
        pictures=pictures[best_first],
        hits=hits[:, best_first],
        ignored=ignored[:, best_first],
        counted=~wanted.ignored,
        found_scores=_found_scores(taken, scores, len(wanted)),
    )


def iou(xyxy: Reals, others: Reals, crowd: Flags | None = None) -> Reals:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4); over the first's own area where `crowd` (m,)."""
    low = np.maximum(xyxy[:, None, :2], others[None, :, :2])
    high = np.minimum(xyxy[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(high - low, 0)
    shared: Reals = sides[..., 0] * sides[..., 1]
    own = areas(xyxy)[:, None]
    together = own + areas(others)[None, :] - shared
    if crowd is not None:
        together = np.where(crowd[None, :], own, together)
    return np.divide(shared, together, out=np.zeros_like(shared), where=together > 0)


def _best(order: IntArray, pictures: IntArray, most: int) -> IntArray:
    sorted_pictures = pictures[order]
    first = np.searchsorted(sorted_pictures, sorted_pictures)
    best: IntArray = order[np.arange(len(order)) - first < most]
    return best


def _choose(overlaps: Reals, ious: Reals, ignored: Flags, crowd: Flags) -> IntArray:
    """The object (t, n) that each detection takes, of those sorted with the ignored ones last."""
    n, m = overlaps.shape
    least = np.minimum(ious, _BELOW_ONE)[:, None]
    chosen = np.full((len(ious), n), _NOTHING, np.int64)
    free = np.ones((len(ious), m), np.bool_)
    near = overlaps >= least.min()
    if near.sum(axis=1).max() <= 1 and near.sum(axis=0).max() <= 1:  # nobody has a choice: most pictures
        rows, columns = np.nonzero(near)
        chosen[:, rows] = np.where(overlaps[rows, columns] >= least, columns, _NOTHING)
        return chosen
    n_counted = int((~ignored).sum())
    parts = [part for part in (slice(0, n_counted), slice(n_counted, m)) if part.start < part.stop]
    for row in np.flatnonzero(near.any(axis=1)).tolist():
        possible = np.where((free | crowd) & (overlaps[row] >= least), overlaps[row], -1.0)
        for part in parts:
            # Of equal overlaps the last one wins, as in the published code.
            best = part.stop - 1 - np.argmax(possible[:, part][:, ::-1], axis=1)
            wins = (chosen[:, row] == _NOTHING) & (np.take_along_axis(possible, best[:, None], 1)[:, 0] >= 0)
            chosen[wins, row] = best[wins]
            free[wins, best[wins]] = False
    return chosen


def _found_scores(taken: IntArray, scores: Reals, n_wanted: int) -> Reals:
    found = np.full((len(taken), n_wanted), -np.inf)
    for level, objects in enumerate(taken):
        rows = np.flatnonzero(objects != _NOTHING)
        np.maximum.at(found[level], objects[rows], scores[rows])
    return found
