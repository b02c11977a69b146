"""Intervals by resampling what is independent: videos, or pictures; never the frames of one video.

Percentile and BCa intervals (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 14).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from anonflow.evaluate.areas import Reals

Statistic = Callable[[Reals], float]
"""The value of a metric when each unit counts `weights` (n,) times."""


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made; equal seeds give equal intervals."""

    samples: int = 1000
    confidence: float = 0.95
    method: str = "percentile"
    seed: int = 0

    def weights(self, n_units: int) -> Reals:
        """How often each unit is drawn, (samples, n_units)."""
        rng = np.random.default_rng(self.seed)
        return rng.multinomial(n_units, np.full(n_units, 1 / n_units), self.samples).astype(np.float64)

    def interval(self, statistic: Statistic, n_units: int) -> tuple[float, float] | None:
        """The interval of a metric over `n_units`; None for fewer than two units, or where it is undefined."""
        if n_units < 2 or not self.samples:
            return None
        values = np.array([statistic(weights) for weights in self.weights(n_units)])
        return self._between(values, statistic, n_units)

    def of_ratio(self, parts: Reals, wholes: Reals) -> tuple[float, float] | None:
        """The interval of `sum(parts) / sum(wholes)`, both (n_units,), all resamples at once."""
        if len(parts) < 2 or not self.samples:
            return None
        weights = self.weights(len(parts))
        below = weights @ wholes
        values = np.divide(weights @ parts, below, out=np.full(self.samples, np.nan), where=below > 0)

        def ratio(weight: Reals) -> float:
            whole = float(weight @ wholes)
            return float(weight @ parts) / whole if whole > 0 else float("nan")

        return self._between(values, ratio, len(parts))

    def _between(self, values: Reals, statistic: Statistic, n_units: int) -> tuple[float, float] | None:
        values = values[np.isfinite(values)]
        if len(values) < 2:
            return None
        tails = np.array([(1 - self.confidence) / 2, (1 + self.confidence) / 2])
        if self.method == "bca":
            tails = _corrected(tails, values, statistic, n_units)
        low, high = np.quantile(values, tails)
        return float(low), float(high)


def _corrected(tails: Reals, values: Reals, statistic: Statistic, n_units: int) -> Reals:
    """Tails moved by bias and acceleration; as they were where all resamples or all leave-one-outs are equal."""
    whole = statistic(np.ones(n_units))
    below = float(np.mean(values < whole) + np.mean(values == whole) / 2)
    left_out = np.array([statistic(1.0 - unit) for unit in np.eye(n_units)])
    apart = left_out[np.isfinite(left_out)].mean() - left_out[np.isfinite(left_out)]
    spread = float((apart**2).sum())
    if not 0 < below < 1 or spread == 0:
        return tails
    bias, pull = ndtri(below), float((apart**3).sum()) / (6 * spread**1.5)
    moved = bias + ndtri(tails)
    corrected: Reals = ndtr(bias + moved / (1 - pull * moved))
    return corrected
