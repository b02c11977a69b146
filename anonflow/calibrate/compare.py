"""Evaluations of the same material against each other, paired by video."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from anonflow.calibrate.bounds import Reals
from anonflow.errors import ConfigError

METRICS = {
    "recall": ("found", "object_frames"),
    "leak_rate": ("leaking_frames", "object_frames"),
    "leaked_object_share": ("leaked_objects", "objects"),
    "over_mask_share": ("over_mask_frames", "frames"),
}
"""Ratios of two sums over videos: columns of `items.parquet`."""
_SWAPS = 2000


@dataclass(frozen=True, eq=False)
class Evaluated:
    """One evaluation: of each label, the sums by metric of each video, in the order of `videos`."""

    name: str
    videos: tuple[str, ...]
    parts: dict[tuple[str, str], tuple[Reals, Reals]]
    """By label and metric: what counts, and out of what, both (n_videos,)."""
    frames_per_cpu_s: float

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that were judged."""
        return tuple(sorted({label for label, _ in self.parts}))


@dataclass(frozen=True)
class Difference:
    """A metric of a label in one evaluation less that in the first; `p_adjusted` over all that are compared."""

    name: str
    label: str
    metric: str
    first: float
    other: float
    low: float
    high: float
    p_value: float
    p_adjusted: float

    @property
    def difference(self) -> float:
        """Other less first."""
        return self.other - self.first


@dataclass(frozen=True)
class Standing:
    """Where an evaluation stands in what is wanted at once, of one label."""

    name: str
    label: str
    recall: float
    leak_rate: float
    over_mask_share: float
    frames_per_cpu_s: float
    is_on_front: bool
    """No other is as good in recall, masked area and speed, and better in one."""


def read_evaluation(folder: Path) -> Evaluated:
    """What `anonflow evaluate` wrote into `folder`. Raises ConfigError if it did not."""
    try:
        rows = pq.read_table(folder / "items.parquet").to_pylist()
        speed = json.loads((folder / "metrics.json").read_text())["speed"]["frames_per_cpu_s"]
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(
            f"{folder} holds no evaluation ({error}). Give folders that anonflow evaluate wrote (items.parquet and "
            "metrics.json)."
        ) from error
    videos = tuple(sorted({row["item_id"] for row in rows}))
    places = {video: place for place, video in enumerate(videos)}
    parts: dict[tuple[str, str], tuple[Reals, Reals]] = {}
    for row in rows:
        for metric, columns in METRICS.items():
            if row[columns[0]] is None:
                continue
            sums = parts.setdefault((row["label"], metric), (np.zeros(len(videos)), np.zeros(len(videos))))
            for column, total in zip(columns, sums, strict=True):
                total[places[row["item_id"]]] += row[column]
    return Evaluated(folder.name, videos, parts, float("nan") if speed is None else float(speed))


def paired(evaluations: Sequence[Evaluated]) -> list[Evaluated]:
    """The evaluations, each with a name of its own; ConfigError unless all are of the same videos and labels."""
    first = evaluations[0]
    for other in evaluations[1:]:
        if other.videos != first.videos:
            n = len(set(other.videos) ^ set(first.videos))
            raise ConfigError(
                f"{other.name} and {first.name} were not measured on the same videos ({n} differ). Evaluate both "
                "on the same files; a file that was changed or moved is another."
            )
        if set(other.parts) != set(first.parts):
            raise ConfigError(f"{other.name} and {first.name} did not judge the same labels; evaluate them alike.")
    names = [e.name for e in evaluations]
    return [
        Evaluated(e.name if names.count(e.name) == 1 else f"{e.name} ({n})", e.videos, e.parts, e.frames_per_cpu_s)
        for n, e in enumerate(evaluations, start=1)
    ]


def differences(evaluations: Sequence[Evaluated], confidence: float, samples: int, seed: int) -> list[Difference]:
    """Each evaluation against the first, in every label and metric.

    Intervals are percentiles of a bootstrap over videos, the same draws on both sides. p-values are of swapping the
    two evaluations video by video (Pitman's permutation test, two-sided); `p_adjusted` is after Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
    """
    first, rng = evaluations[0], np.random.default_rng(seed)
    n = len(first.videos)
    weights = rng.multinomial(n, np.full(n, 1 / n), samples).astype(np.float64)
    swaps = rng.random((_SWAPS, n)) < 0.5
    found = []
    for other in evaluations[1:]:
        for label, metric in sorted(first.parts):
            ours, theirs = first.parts[label, metric], other.parts[label, metric]
            drawn = _ratio(weights @ theirs[0], weights @ theirs[1]) - _ratio(weights @ ours[0], weights @ ours[1])
            drawn = drawn[np.isfinite(drawn)]
            tails = ((1 - confidence) / 2, (1 + confidence) / 2)
            low, high = np.quantile(drawn, tails) if len(drawn) else (np.nan, np.nan)
            of_first, of_other = (float(_ratio(side[0].sum(), side[1].sum())) for side in (ours, theirs))
            p = _swapped(ours, theirs, swaps)
            found.append(Difference(other.name, label, metric, of_first, of_other, float(low), float(high), p, p))
    adjusted = holm(np.array([d.p_value for d in found]))
    return [Difference(**{**vars(d), "p_adjusted": float(value)}) for d, value in zip(found, adjusted, strict=True)]


def holm(p_values: Reals) -> Reals:
    """p-values (n,) after Holm's correction, in the order given."""
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def standings(evaluations: Sequence[Evaluated], label: str) -> list[Standing]:
    """All evaluations in recall, masked area and speed; which of them are on the Pareto front."""
    rows = []
    for e in evaluations:
        of = {
            metric: float(_ratio(*(side.sum() for side in e.parts[label, metric])))
            for metric in METRICS
            if (label, metric) in e.parts
        }
        rows.append(
            (e.name, of.get("recall", float("nan")), of["leak_rate"], of["over_mask_share"], e.frames_per_cpu_s)
        )
    goods = np.nan_to_num(np.array([(r[1], -r[3], r[4]) for r in rows]), nan=-np.inf)
    beaten = [bool(((goods >= own).all(axis=1) & (goods > own).any(axis=1)).any()) for own in goods]
    return [Standing(r[0], label, r[1], r[2], r[3], r[4], not lost) for r, lost in zip(rows, beaten, strict=True)]


def _swapped(ours: tuple[Reals, Reals], theirs: tuple[Reals, Reals], swaps: np.ndarray) -> float:
    """How often a difference as large comes of swapping the two, video by video; the one that was seen counts."""
    seen = abs(_ratio(theirs[0].sum(), theirs[1].sum()) - _ratio(ours[0].sum(), ours[1].sum()))
    gaps = [theirs[side] - ours[side] for side in (0, 1)]
    sums = [swaps @ gap for gap in gaps]
    a = _ratio(ours[0].sum() + sums[0], ours[1].sum() + sums[1])
    b = _ratio(theirs[0].sum() - sums[0], theirs[1].sum() - sums[1])
    as_large = np.abs(a - b) >= seen - 1e-12
    return float((1 + as_large.sum()) / (1 + len(swaps)))


def _ratio(part: Reals | float, whole: Reals | float) -> Reals:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Reals = np.asarray(np.divide(part, whole), np.float64)
    return ratio
