from __future__ import annotations

import numpy as np
import pytest

from anonflow.calibrate.bounds import method_for, p_value
from anonflow.calibrate.samples import least_samples, needed, rounded


@pytest.mark.parametrize(("target", "delta"), [(0.02, 0.05), (0.05, 0.05), (0.3, 0.1)])
def test_the_least_number_is_where_no_leak_at_all_is_enough(target: float, delta: float) -> None:
    least = least_samples(target, delta)
    values = [p_value(np.zeros(n), target, delta, method_for(n)) for n in (least - 1, least)]
    assert values[0] > delta >= values[1]
    # Nothing can be certified by fewer: with probability (1 - target)^n not one of n videos leaks at all.
    assert least >= np.log(delta) / np.log(1 - target)


def test_videos_that_leak_take_more() -> None:
    rng = np.random.default_rng(0)
    some = np.where(rng.random(60) < 0.1, rng.random(60) * 0.2, 0.0)
    few, many = needed(np.zeros(60), 0.05, 0.05), needed(some, 0.05, 0.05)
    assert few.n == few.at_least == least_samples(0.05, 0.05)
    assert many.n is not None and many.n > many.at_least


def test_so_many_are_enough_in_most_cases() -> None:
    rng = np.random.default_rng(1)
    sample = np.where(rng.random(80) < 0.1, rng.random(80) * 0.4, 0.0)
    n = needed(sample, 0.06, 0.05).n
    assert n is not None
    hits = [p_value(rng.choice(sample, n), 0.06, 0.05, method_for(n)) <= 0.05 for _ in range(200)]
    assert 0.68 <= np.mean(hits) <= 0.95


def test_no_number_helps_against_leaks_above_the_target() -> None:
    need = needed(np.full(50, 0.2), 0.1, 0.05)
    assert need.n is None and "0.2" in need.why
    close = needed(np.r_[np.ones(100), np.zeros(901)], 0.1, 0.05)
    assert close.n is None and "more than" in close.why


@pytest.mark.parametrize(("n", "told"), [(7, 7), (59, 59), (152, 160), (1501, 1600), (200, 200)])
def test_about_n_does_not_look_exact(n: int, told: int) -> None:
    assert rounded(n) == told
