"""How well tracks keep objects apart: HOTA, CLEAR MOT and IDF1, as their reference code (TrackEval) computes them.

Luiten et al., IJCV 2021; Bernardin and Stiefelhagen, 2008; Ristani et al., ECCV 2016. All counts are kept, so that
videos are pooled by adding them up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from anonflow.evaluate.areas import Reals
from anonflow.evaluate.match import Flags, iou
from anonflow.types import IntArray

ALPHAS = np.arange(0.05, 0.99, 0.05)
"""Overlaps over which HOTA is averaged."""
_EPS = np.finfo(np.float64).eps
_CONTINUES = 1000
"""Bonus by which CLEAR MOT keeps the last frame's pairs."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Named boxes over frames: `frames`, `ids` (n,), `xyxy` (n, 4); an id at most once a frame."""

    frames: IntArray
    ids: IntArray
    xyxy: Reals

    def __getitem__(self, rows: IntArray | Flags) -> Boxes:
        return Boxes(self.frames[rows], self.ids[rows], self.xyxy[rows])


@dataclass(frozen=True, eq=False)
class Tracking:
    """Counts of one video or several.

    Of HOTA, (alphas,): hits, misses, false points, sums of association and overlap.
    """

    hota_hits: Reals
    hota_missed: Reals
    hota_false: Reals
    association: Reals
    overlap: Reals
    hits: int
    missed: int
    false: int
    switches: int
    fragments: int
    id_hits: int
    points: int
    """Of objects."""
    track_points: int

    @property
    def det_a(self) -> float:
        """DetA: detections found, missed and false."""
        return float(_over(self.hota_hits, self.hota_hits + self.hota_missed + self.hota_false).mean())

    @property
    def ass_a(self) -> float:
        """AssA: how far the tracks of found detections agree with the objects'."""
        return float(_over(self.association, self.hota_hits).mean())

    @property
    def loc_a(self) -> float:
        """LocA: mean overlap of found detections."""
        return float((np.maximum(1e-10, self.overlap) / np.maximum(1e-10, self.hota_hits)).mean())

    @property
    def hota(self) -> float:
        """HOTA: geometric mean of DetA and AssA, averaged over the overlaps asked for."""
        detection = _over(self.hota_hits, self.hota_hits + self.hota_missed + self.hota_false)
        return float(np.sqrt(detection * _over(self.association, self.hota_hits)).mean())

    @property
    def mota(self) -> float:
        """MOTA: one less misses, false points and switches an object-frame."""
        return (self.hits - self.false - self.switches) / max(1, self.points)

    @property
    def idf1(self) -> float:
        """IDF1: F1 of points under the best one-to-one naming."""
        return 2 * self.id_hits / max(1, self.points + self.track_points)


def tracking(truth: Boxes, tracks: Boxes, least_iou: float = 0.5) -> Tracking:
    """Tracks against the objects of one video; `least_iou` is that of CLEAR MOT and IDF1."""
    object_ids, objects = np.unique(truth.ids, return_inverse=True)
    track_ids, names = np.unique(tracks.ids, return_inverse=True)
    frames = list(_frames(truth, tracks, objects, names))
    hota = _hota(frames, len(object_ids), len(track_ids))
    clear = _clear(frames, len(object_ids), least_iou)
    return Tracking(
        *hota, *clear, _id_hits(frames, len(object_ids), len(track_ids), least_iou), len(objects), len(names)
    )


def pool(parts: Sequence[Tracking]) -> Tracking:
    """Several videos as one; the sums of association are over each video's own tracks, as in the reference code."""
    zero = np.zeros(len(ALPHAS))
    total = Tracking(zero, zero, zero, zero, zero, 0, 0, 0, 0, 0, 0, 0, 0)
    for part in parts:
        total = Tracking(*(a + b for a, b in zip(vars(total).values(), vars(part).values(), strict=True)))
    return total


def without_ignored(truth: Boxes, ignored: Flags, tracks: Boxes, least_iou: float = 0.5) -> tuple[Boxes, Boxes]:
    """The objects that count, and the tracks without the points that fit an ignored object best.

    As the MOT Challenge does with its distractors: pairs by the best overlap in all, ignored objects included.
    """
    drop = np.zeros(len(tracks.frames), np.bool_)
    for frame in np.unique(truth.frames[ignored]).tolist():
        there, here = np.flatnonzero(truth.frames == frame), np.flatnonzero(tracks.frames == frame)
        overlap = iou(truth.xyxy[there], tracks.xyxy[here])
        rows, columns = linear_sum_assignment(-np.where(overlap >= least_iou, overlap, 0.0))
        fits = (overlap[rows, columns] >= least_iou) & ignored[there[rows]]
        drop[here[columns[fits]]] = True
    return truth[~ignored], tracks[~drop]


@dataclass(frozen=True, eq=False)
class _Frame:
    """Positions of the objects and tracks of one frame, and their overlaps (objects, tracks)."""

    objects: IntArray
    tracks: IntArray
    overlap: Reals


def _frames(truth: Boxes, tracks: Boxes, objects: IntArray, names: IntArray) -> Iterator[_Frame]:
    of_truth, of_tracks = (np.argsort(boxes.frames, kind="stable") for boxes in (truth, tracks))
    for frame in np.union1d(truth.frames, tracks.frames).tolist():
        there = of_truth[slice(*np.searchsorted(truth.frames[of_truth], [frame, frame + 1]))]
        here = of_tracks[slice(*np.searchsorted(tracks.frames[of_tracks], [frame, frame + 1]))]
        yield _Frame(objects[there], names[here], iou(truth.xyxy[there], tracks.xyxy[here]))


def _hota(frames: Sequence[_Frame], n_objects: int, n_tracks: int) -> tuple[Reals, Reals, Reals, Reals, Reals]:
    potential = np.zeros((n_objects, n_tracks))
    of_object, of_track = np.zeros(n_objects), np.zeros(n_tracks)
    for frame in frames:
        either = frame.overlap.sum(0)[None, :] + frame.overlap.sum(1)[:, None] - frame.overlap
        shares = np.divide(frame.overlap, either, out=np.zeros_like(frame.overlap), where=either > _EPS)
        potential[np.ix_(frame.objects, frame.tracks)] += shares
        of_object[frame.objects] += 1
        of_track[frame.tracks] += 1
    both = of_object[:, None] + of_track[None, :]
    alignment = potential / (both - potential)
    n = len(ALPHAS)
    hits, missed, false, overlap = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    pairs = np.zeros((n, n_objects, n_tracks))
    for frame in frames:
        scores = alignment[np.ix_(frame.objects, frame.tracks)] * frame.overlap
        rows, columns = linear_sum_assignment(-scores)
        similar = frame.overlap[rows, columns]
        fits = similar[None, :] >= ALPHAS[:, None] - _EPS
        n_fits = fits.sum(axis=1)
        hits += n_fits
        missed += len(frame.objects) - n_fits
        false += len(frame.tracks) - n_fits
        overlap += (similar[None, :] * fits).sum(axis=1)
        pairs[:, frame.objects[rows], frame.tracks[columns]] += fits
    association = (pairs * pairs / np.maximum(1, both[None] - pairs)).sum(axis=(1, 2))
    return hits, missed, false, association, overlap


def _clear(frames: Sequence[_Frame], n_objects: int, least_iou: float) -> tuple[int, int, int, int, int]:
    """Hits, misses, false points, id switches and fragments."""
    last, before = np.full(n_objects, -1), np.full(n_objects, -1)
    begun = np.zeros(n_objects, np.int64)
    hits = missed = false = switches = 0
    for frame in frames:
        if not len(frame.objects) or not len(frame.tracks):
            missed, false = missed + len(frame.objects), false + len(frame.tracks)
            continue
        goes_on = frame.tracks[None, :] == before[frame.objects][:, None]
        scores = np.where(frame.overlap < least_iou - _EPS, 0.0, _CONTINUES * goes_on + frame.overlap)
        rows, columns = linear_sum_assignment(-scores)
        fits = scores[rows, columns] > _EPS
        found, by = frame.objects[rows[fits]], frame.tracks[columns[fits]]
        switches += int(((last[found] >= 0) & (last[found] != by)).sum())
        begun[found] += before[found] < 0
        last[found] = by
        before[:] = -1
        before[found] = by
        hits += len(found)
        missed += len(frame.objects) - len(found)
        false += len(frame.tracks) - len(found)
    return hits, missed, false, switches, int((begun[begun > 0] - 1).sum())


def _id_hits(frames: Sequence[_Frame], n_objects: int, n_tracks: int, least_iou: float) -> int:
    shared = np.zeros((n_objects, n_tracks))
    for frame in frames:
        rows, columns = np.nonzero(frame.overlap >= least_iou)
        np.add.at(shared, (frame.objects[rows], frame.tracks[columns]), 1)
    return int(shared[linear_sum_assignment(-shared)].sum())


def _over(part: Reals, whole: Reals) -> Reals:
    """A share of counts; 0 of nothing."""
    return np.asarray(part / np.maximum(1, whole), np.float64)
