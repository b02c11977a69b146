"""Leak rates over thresholds and margins, from one set of detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anonflow.config import HidingConfig
from anonflow.evaluate.areas import Reals
from anonflow.evaluate.case import Case
from anonflow.evaluate.masks import counted_rows
from anonflow.evaluate.replay import leak_counts, with_threshold


@dataclass(frozen=True, eq=False)
class Grid:
    """Object-frames of a label that leak at each threshold and margin, case by case.

    `leaking` (n_thresholds, n_margins, n_cases), `object_frames` (n_cases,).
    """

    label: str
    thresholds: Reals
    margins: Reals
    leaking: Reals
    object_frames: Reals

    def rates(self) -> Reals:
        """Share of all object-frames that leak, (n_thresholds, n_margins); NaN without any."""
        total = self.object_frames.sum()
        if not total:
            return np.full(self.leaking.shape[:2], np.nan)
        rates: Reals = self.leaking.sum(axis=2) / total
        return rates

    def losses(self) -> Reals:
        """Leak rate of each case with objects, (n_thresholds, n_margins, cases): the losses of a calibration."""
        there = self.object_frames > 0
        losses: Reals = self.leaking[:, :, there] / self.object_frames[there]
        return losses


def sweep(
    cases: Sequence[Case],
    config: HidingConfig,
    label: str,
    thresholds: Reals,
    margins: Reals,
    covered_share: float,
) -> Grid:
    """Plan all cases anew at each threshold and margin of a label; all else is as configured."""
    code = config.labels.index(label)
    leaking = np.zeros((len(thresholds), len(margins), len(cases)))
    for row, threshold in enumerate(thresholds.tolist()):
        there = with_threshold(config, label, threshold)
        for column, case in enumerate(cases):
            leaking[row, :, column] = leak_counts(case, there, code, covered_share, margins)
    frames = np.array([len(counted_rows(case, [code])) for case in cases], np.float64)
    return Grid(label, thresholds, margins, leaking, frames)
