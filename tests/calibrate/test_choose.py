from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anonflow.calibrate.choose import Costs, Grid, Targets, bounds_of, certify, cheapest, mean_with_objects
from tests.calibrate.worlds import leaks, measured

GRID = Grid((0.1, 0.3, 0.5, 0.7), (0.3, 0.1))
TARGET = Targets(leak_rate=0.05)


def rate(threshold: float, margin: int) -> Any:
    """One video in five leaks, the more the higher the threshold and the narrower the margin."""
    return np.where(np.arange(300) % 5 == 0, min(1.0, threshold**2 * (1 + margin / 3)), 0.0)


def test_the_certified_setting_that_hides_least_is_chosen() -> None:
    answer = certify(measured(rate, 2), GRID, TARGET, 0.05, None)
    assert answer.chosen is not None and answer.needed is None
    assert (answer.chosen.threshold, answer.chosen.margin) == (0.3, 0.1)
    assert answer.bounds == {"leak_rate": 0.05} and answer.method == "betting"
    assert {(t.threshold, t.margin) for t in answer.tried if t.certified} == {
        (0.1, 0.3),
        (0.3, 0.3),
        (0.1, 0.1),
        (0.3, 0.1),
    }
    assert all((t.p_value is not None) for t in answer.tried) and len(answer.tried) == 6


def test_costs_choose_among_what_is_certified() -> None:
    dear = certify(measured(rate, 2), GRID, TARGET, 0.05, Costs(1000, 1))
    assert dear.chosen is not None and (dear.chosen.threshold, dear.chosen.margin) == (0.1, 0.3)
    # 60 videos of 300 leak 10 s * 0.01 each, and all hide 0.9 of 10 s in vain.
    assert dear.chosen.cost_per_h == pytest.approx(3600 * (1000 * 60 * 0.1 + 300 * 9) / 3000)


def test_too_few_videos_are_told_how_many_would_do() -> None:
    answer = certify(measured(lambda t, m: rate(t, m)[:30]), Grid((0.1, 0.3), (0.2,)), TARGET, 0.05, None)
    assert answer.chosen is None and answer.bounds == {}
    assert answer.needed is not None and answer.needed.n is not None and 59 <= answer.needed.n <= 200
    assert answer.method == "hoeffding_bentkus"


def test_a_detector_that_misses_too_much_is_no_matter_of_numbers() -> None:
    answer = certify(measured(lambda t, m: rate(t, m) + 0.1), Grid((0.1,), (0.2,)), TARGET, 0.05, None)
    assert answer.chosen is None and answer.needed is not None and answer.needed.n is None


def test_all_targets_must_hold() -> None:
    both = Targets(leak_rate=0.05, leaked_object_share=0.05)
    answer = certify(measured(rate), Grid((0.1,), (0.2,)), both, 0.05, None)
    assert answer.chosen is None, "a fifth of the objects leak"
    assert certify(measured(rate), Grid((0.1,), (0.2,)), Targets(None, 0.3), 0.05, None).chosen is not None


def test_videos_without_objects_say_nothing() -> None:
    """A thousand empty videos certify nothing."""

    def with_empty(threshold: float) -> Any:
        found = leaks(np.zeros(1030))
        found.object_frames[30:] = 0
        return [found]

    answer = certify(with_empty, Grid((0.1,), (0.2,)), TARGET, 0.05, None)
    assert (answer.chosen, answer.n_units, answer.n_empty) == (None, 30, 1000)
    assert mean_with_objects(leaks([]), "leak_rate") != mean_with_objects(leaks([]), "leak_rate"), "NaN"


def test_costs_alone_choose_and_certify_nothing() -> None:
    answer = cheapest(measured(rate, 2), GRID, Costs(1, 1), 0.05)
    assert answer.chosen is not None and not answer.chosen.certified
    assert len(answer.tried) == 8
    assert answer.chosen.cost_per_h == min(t.cost_per_h for t in answer.tried if t.cost_per_h is not None)
    assert answer.bounds["leak_rate"] > answer.chosen.leak_rate
    alone = bounds_of(leaks(rate(answer.chosen.threshold, 1)), 0.05)
    assert answer.bounds["leak_rate"] > alone["leak_rate"], "the price of having looked at eight settings"
