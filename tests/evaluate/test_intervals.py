from __future__ import annotations

import numpy as np
import pytest

from anonflow.evaluate.intervals import Bootstrap


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_cover_as_often_as_they_say(method: str) -> None:
    rng, covered = np.random.default_rng(0), 0
    for trial in range(200):
        wholes = rng.integers(20, 60, 40).astype(np.float64)
        parts = rng.binomial(wholes.astype(int), np.clip(rng.normal(0.3, 0.08, 40), 0, 1)).astype(np.float64)
        low, high = Bootstrap(400, 0.9, method, trial).of_ratio(parts, wholes) or (0, 0)
        covered += low <= 0.3 <= high
    assert 0.83 <= covered / 200 <= 0.96


def test_equal_seeds_give_equal_intervals() -> None:
    parts, wholes = np.arange(10.0), np.full(10, 10.0)
    assert Bootstrap(seed=1).of_ratio(parts, wholes) == Bootstrap(seed=1).of_ratio(parts, wholes)
    assert Bootstrap(seed=1).of_ratio(parts, wholes) != Bootstrap(seed=2).of_ratio(parts, wholes)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_a_ratio_is_a_statistic(method: str) -> None:
    parts, wholes = np.arange(10.0), np.arange(5.0, 15.0)
    boot = Bootstrap(method=method)
    assert boot.of_ratio(parts, wholes) == pytest.approx(boot.interval(lambda w: (w @ parts) / (w @ wholes), 10))


def test_bca_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(3).exponential(size=60)
    theirs = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=20_000, rng=1).confidence_interval
    ours = Bootstrap(20_000, 0.95, "bca").of_ratio(values, np.ones(60))
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_no_interval_without_two_units_or_without_a_value() -> None:
    one = np.ones(1)
    assert Bootstrap().of_ratio(one, one) is None and Bootstrap(samples=0).of_ratio(np.ones(5), np.ones(5)) is None
    assert Bootstrap().of_ratio(np.zeros(5), np.zeros(5)) is None
    assert Bootstrap().interval(lambda _: 1.0, 1) is None
    assert Bootstrap(method="bca").of_ratio(np.ones(5), np.ones(5)) == (1, 1)
