from __future__ import annotations

import numpy as np
import pytest
from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value, get_r_hat_plus

from anonflow.calibrate.bounds import BETTING, HOEFFDING_BENTKUS, METHODS, method_for, p_value, upper_bound

TRIALS = 400
both = pytest.mark.parametrize("method", METHODS)


def losses(rng: np.random.Generator, n: int, mean: float) -> np.ndarray:
    """Mostly zero, now and then much: as leak rates are."""
    return np.where(rng.random(n) < 2 * mean, rng.random(n), 0.0)


@both
@pytest.mark.parametrize(("n", "target"), [(40, 0.1), (150, 0.05)])
def test_a_p_value_is_small_as_rarely_as_it_says(method: str, n: int, target: float) -> None:
    """At the edge of the hypothesis: the mean is the target itself."""
    rng = np.random.default_rng(0)
    values = np.array([p_value(losses(rng, n, target), target, 0.1, method) for _ in range(TRIALS)])
    for level in (0.05, 0.1, 0.3):
        sampling = 3 * np.sqrt(level * (1 - level) / TRIALS)
        assert (values <= level).mean() <= level + sampling


@both
@pytest.mark.parametrize("kind", ["zeros and ones", "any"])
def test_an_upper_bound_is_missed_as_rarely_as_it_says(method: str, kind: str) -> None:
    rng = np.random.default_rng(1)
    missed = 0
    for trial in range(TRIALS):
        sample = (rng.random(120) < 0.08).astype(float) if kind == "zeros and ones" else rng.beta(0.4, 4.6, 120)
        is_missed = p_value(sample, 0.08, 0.1, method) <= 0.1
        missed += is_missed
        if trial < 10:
            assert (upper_bound(sample, 0.1, method) <= 0.08) == is_missed
    assert missed / TRIALS <= 0.1 + 3 * np.sqrt(0.09 / TRIALS)


@both
def test_a_bound_comes_down_to_the_mean(method: str) -> None:
    rng = np.random.default_rng(2)
    bounds = [upper_bound(losses(rng, n, 0.03), 0.05, method) for n in (30, 300, 3000)]
    assert bounds[0] > bounds[1] > bounds[2] > 0.03
    assert bounds[2] < 0.045
    assert upper_bound(np.zeros(0), 0.05, method) == 1.0 and p_value(np.zeros(0), 0.1, 0.05, method) == 1.0


def test_betting_is_sharper_on_many_small_losses() -> None:
    sample = np.random.default_rng(3).beta(0.2, 8, 600)
    assert upper_bound(sample, 0.05, BETTING) < upper_bound(sample, 0.05, HOEFFDING_BENTKUS)


@pytest.mark.parametrize("target", [0.02, 0.1, 0.4])
def test_hoeffding_bentkus_is_that_of_mapie(target: float) -> None:
    rng = np.random.default_rng(4)
    for n in (5, 50, 500):
        for mean in rng.uniform(0, 0.6, 20):
            sample = np.clip(rng.normal(mean, 0.05, n), 0, 1)
            expected = compute_hoeffding_bentkus_p_value(np.array([sample.mean()]), n, target)[0, 0]
            assert p_value(sample, target, 0.1, HOEFFDING_BENTKUS) == pytest.approx(min(1.0, expected), rel=1e-9)


def test_the_betting_bound_is_that_of_mapie() -> None:
    """To the step of the grid of risks that MAPIE has it on."""
    rng = np.random.default_rng(5)
    risks = np.linspace(0, 1, 101)
    for mean in (0.02, 0.2):
        sample = losses(rng, 200, mean)
        ours = upper_bound(sample, 0.1, BETTING)
        # Every risk of the grid stands for a setting there; the first has these losses.
        _, theirs = get_r_hat_plus(np.repeat(sample[:, None], 101, 1), risks, "rcps", "wsr", 0.1, 0.25)
        assert ours == pytest.approx(theirs[0], abs=0.021)


def test_few_samples_are_left_to_hoeffding_bentkus() -> None:
    assert [method_for(n) for n in (0, 49, 50)] == [HOEFFDING_BENTKUS, HOEFFDING_BENTKUS, BETTING]


@pytest.mark.parametrize("wrong", [[1.2], [-0.1], [np.nan]])
def test_losses_are_shares(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        p_value(np.array(wrong), 0.1, 0.1, BETTING)
