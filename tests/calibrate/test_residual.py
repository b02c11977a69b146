from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from anonflow.calibrate.residual import residual
from tests.calibrate.worlds import leaks


def test_it_scales_what_was_seen() -> None:
    left = residual(leaks(np.r_[np.zeros(90), np.full(10, 0.2)]), 1000, 0.95, 1)
    assert (left.videos, left.leaking_videos, left.expected_objects) == (100, 10, 100)
    assert left.expected_s == pytest.approx(1000 * 0.1 * 2)
    assert left.expected_objects_interval is not None
    assert left.expected_objects_interval[0] < 100 < left.expected_objects_interval[1]


def test_the_bound_is_that_of_the_binomial() -> None:
    for k in (0, 3, 40):
        left = residual(leaks(np.r_[np.full(k, 0.1), np.zeros(100 - k)]), 500, 0.95, 1)
        expected = binomtest(k, 100, alternative="less").proportion_ci(0.95).high
        assert left.leaking_share_bound == pytest.approx(expected)
        assert left.leaking_archive_videos_bound == pytest.approx(500 * expected)


def test_nothing_seen_is_not_nothing_left() -> None:
    left = residual(leaks(np.zeros(100)), 1000, 0.95, 1)
    assert left.expected_objects == 0 and left.expected_objects_interval is None
    assert left.leaking_archive_videos_bound > 29, "the rule of three"
    assert residual(leaks(np.zeros(100)), 1000, 0.95, 9).leaking_share_bound > left.leaking_share_bound
    assert residual(leaks(np.ones(4)), 10, 0.95, 1).leaking_share_bound == 1.0
