"""Objects that move, and a detector that looks at them: the parts that scenes are made of.

The detector is a model of a real one's errors over time, which are what a method has to mend: small objects score
low and are missed more often, misses and box errors last for some frames, and there are boxes where nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from anonflow.evaluate.areas import Reals, areas, covered_shares
from anonflow.evaluate.truth import Times, Truth, clipped
from anonflow.types import Detections, IntArray

FLOOR = 0.1
"""The detector reports nothing below this score."""
BEST_SCORE, HALF_SIZE_PX, SIZE_OCTAVES = 0.88, 13.0, 0.3
"""Mean score of a large object; the size at which it is half of that, and how steep it rises, in doublings."""
SCORE_NOISE = 0.05
SEEN_FROM, SEEN_FULLY = 0.2, 0.6
"""Visible share of an object from which it scores at all, and from which it scores in full."""
MISS_LARGE, MISS_SMALL, MISS_SIZE_PX = 0.01, 0.35, 14.0
"""Share of frames missed: of large objects, what is added for those of `SMALLEST_PX`, and how fast that fades."""
SMALLEST_PX = 10.0
MISS_LENGTH_S = 0.1
"""Mean length of a miss."""
JITTER = (0.03, 0.06)
"""Standard deviation of each edge of a box as a share of its side, drawn per object; at most twice that."""
CORRELATION = 0.6
"""Of errors of scores and boxes from one frame to the next."""
FALSE_PER_FRAME, FALSE_LOW_PER_FRAME = 0.02, 0.15
"""False boxes: with any score, and with one of `FLOOR` to `LOW`."""
LOW = 0.2
SPOTS_PER_MIN, SPOT_LENGTH_S, SPOT_FOUND = 8, (0.5, 3.0), 0.4
"""Things that look like an object for a while, and the share of frames in which they are reported."""


@dataclass(frozen=True, eq=False)
class Life:
    """One object: a row for each frame of the video in which it exists, in the picture or beside it.

    `frames` (n,) increasing; `xyxy` (n, 4) px, not clipped; `unhidden` (n,) share of it that nothing stands before;
    `caps` (n,) the highest score that the detector gives it, whatever the reason.
    """

    frames: IntArray
    xyxy: Reals
    unhidden: Reals
    caps: Reals
    label: int

    def capped(self, frames: IntArray, cap: float, unhidden: float = 1.0) -> Life:
        """The same life, scored `cap` at most in `frames`, and seen no more of than `unhidden`."""
        there = np.isin(self.frames, frames)
        return replace(
            self,
            caps=np.where(there, np.minimum(self.caps, cap), self.caps),
            unhidden=np.where(there, np.minimum(self.unhidden, unhidden), self.unhidden),
        )


def live(frames: IntArray, centres: Reals, heights: Reals, aspect: float, label: int) -> Life:
    """An object by its centres (n, 2) and heights (n,) in px; `aspect` is width by height."""
    half = np.stack((heights * aspect, heights), axis=1) / 2
    ones = np.ones(len(frames))
    return Life(frames, np.concatenate((centres - half, centres + half), axis=1), ones, ones, label)


def stand_in_front(lives: Sequence[Life]) -> list[Life]:
    """The same lives, each hidden where one that comes before it in the sequence covers it."""
    seen: list[Life] = []
    for life in lives:
        frames = np.concatenate([np.zeros(0, np.int64), *(nearer.frames for nearer in seen)])
        boxes = np.concatenate([np.zeros((0, 4)), *(nearer.xyxy for nearer in seen)])
        order = np.argsort(frames, kind="stable")
        hidden = covered_shares(life.frames, life.xyxy, frames[order], boxes[order])
        seen.append(replace(life, unhidden=np.minimum(life.unhidden, 1 - hidden)))
    return seen


def truth_of(lives: Sequence[Life], times_s: Times, end_s: float, width: int, height: int) -> Truth:
    """What of the lives lies within the picture; an object's id is its place in `lives`."""
    xyxy = np.concatenate([life.xyxy for life in lives])
    frames = np.concatenate([life.frames for life in lives])
    counts = [len(life.frames) for life in lives]
    inside = clipped(xyxy, width, height).astype(np.float32)
    visible = _visible(lives, width, height)
    rows = np.flatnonzero((inside[:, 2:] > inside[:, :2]).all(axis=1))
    rows = rows[np.argsort(frames[rows], kind="stable")]
    return Truth(
        frames=frames[rows],
        object_ids=np.repeat(np.arange(len(lives)), counts)[rows],
        xyxy=inside[rows],
        labels=np.repeat([life.label for life in lives], counts).astype(np.int16)[rows],
        visible=visible.astype(np.float32)[rows],
        times_s=times_s,
        end_s=end_s,
        width=width,
        height=height,
    )


def detections_of(rng: np.random.Generator, lives: Sequence[Life], truth: Truth, n_labels: int) -> Detections:
    """What the detector reports, sorted by frame, then label, then falling score."""
    found = [_found(rng, life, truth) for life in lives]
    found += [_false(rng, truth, n_labels), *_spots(rng, truth, n_labels)]
    together = Detections.concat(found)
    return together[np.lexsort((-together.scores, together.labels, together.frames))]


def _visible(lives: Sequence[Life], width: int, height: int) -> Reals:
    xyxy = np.concatenate([life.xyxy for life in lives])
    inside = areas(clipped(xyxy, width, height)) / areas(xyxy)
    visible: Reals = inside * np.concatenate([life.unhidden for life in lives])
    return visible


def _found(rng: np.random.Generator, life: Life, truth: Truth) -> Detections:
    sizes = np.sqrt(areas(life.xyxy))
    expected = BEST_SCORE / (1 + (HALF_SIZE_PX / sizes) ** (1 / SIZE_OCTAVES))
    seen = (_visible([life], truth.width, truth.height) - SEEN_FROM) / (SEEN_FULLY - SEEN_FROM)
    scores = expected * np.clip(seen, 0, 1) + SCORE_NOISE * _drift(rng, (len(sizes),))
    scores = np.minimum(np.clip(scores, 0, 0.99), life.caps)
    edges = rng.uniform(*JITTER) * np.clip(_drift(rng, (len(sizes), 4)), -2, 2)
    sides = np.tile(life.xyxy[:, 2:] - life.xyxy[:, :2], (1, 2))
    boxes = clipped(life.xyxy + edges * sides, truth.width, truth.height)
    reported = (scores >= FLOOR) & ~_missed(rng, sizes, truth.durations_s[life.frames])
    rows = np.flatnonzero(reported & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    return _detections(life.frames[rows], boxes[rows], scores[rows], np.full(len(rows), life.label))


def _missed(rng: np.random.Generator, sizes: Reals, durations_s: Times) -> NDArray[np.bool_]:
    """Which frames (n,) the detector misses: a chain of two states, so that a miss lasts."""
    shares = MISS_LARGE + MISS_SMALL * np.exp(-np.maximum(sizes - SMALLEST_PX, 0) / MISS_SIZE_PX)
    ends = np.minimum(1.0, durations_s / MISS_LENGTH_S)
    begins = shares * ends / (1 - shares)
    missed = np.zeros(len(sizes), np.bool_)
    now = False
    for row, chance in enumerate(rng.random(len(sizes)).tolist()):
        now = chance >= ends[row] if now else chance < begins[row]
        missed[row] = now
    return missed


def _drift(rng: np.random.Generator, shape: tuple[int, ...]) -> Reals:
    """Noise of variance 1 that keeps `CORRELATION` of itself from row to row."""
    white = rng.standard_normal(shape)
    white[1:] *= np.sqrt(1 - CORRELATION**2)
    return np.asarray(lfilter([1.0], [1.0, -CORRELATION], white, axis=0), np.float64)


def _false(rng: np.random.Generator, truth: Truth, n_labels: int) -> Detections:
    """Boxes where nothing is, for one frame each."""
    counts = [rng.poisson(rate, truth.n_frames) for rate in (FALSE_PER_FRAME, FALSE_LOW_PER_FRAME)]
    n_any, n_low = (int(c.sum()) for c in counts)
    frames = np.concatenate([np.repeat(np.arange(truth.n_frames), c) for c in counts])
    scores = np.concatenate((FLOOR + 0.5 * rng.beta(1, 3, n_any), rng.uniform(FLOOR, LOW, n_low)))
    return _detections(frames, _anywhere(rng, len(frames), truth), scores, rng.integers(0, n_labels, len(frames)))


def _spots(rng: np.random.Generator, truth: Truth, n_labels: int) -> list[Detections]:
    """Boxes where nothing is, in one place for a while."""
    length_s = truth.end_s - float(truth.times_s[0])
    spots = []
    for _ in range(max(1, round(SPOTS_PER_MIN * length_s / 60))):
        start_s = rng.uniform(truth.times_s[0], truth.end_s)
        stop_s = start_s + rng.uniform(*SPOT_LENGTH_S)
        shown = np.flatnonzero((truth.times_s >= start_s) & (truth.times_s < stop_s))
        frames = shown[rng.random(len(shown)) < SPOT_FOUND]
        boxes = np.repeat(_anywhere(rng, 1, truth), len(frames), axis=0)
        scores = rng.uniform(FLOOR, 0.45, len(frames))
        spots.append(_detections(frames, boxes, scores, np.full(len(frames), rng.integers(0, n_labels))))
    return spots


def _anywhere(rng: np.random.Generator, n: int, truth: Truth) -> Reals:
    heights = np.exp(rng.uniform(np.log(12), np.log(80), n))
    corners = np.stack((rng.uniform(0, truth.width - 80, n), rng.uniform(0, truth.height - 80, n)), axis=1)
    return np.concatenate((corners, corners + np.stack((0.8 * heights, heights), axis=1)), axis=1)


def _detections(frames: IntArray, xyxy: Reals, scores: Reals, labels: NDArray[np.int64]) -> Detections:
    return Detections(
        frames.astype(np.int64), xyxy.astype(np.float32), scores.astype(np.float32), labels.astype(np.int16)
    )
