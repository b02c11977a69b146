from __future__ import annotations

import numpy as np

from anonflow.evaluate.replay import leak_counts, with_threshold
from anonflow.evaluate.sweep import sweep
from tests.evaluate.samples import hiding, picture, video

FACE = [10, 10, 30, 30]


def test_each_point_is_a_run_of_its_own() -> None:
    cases = [video(), video("cuts"), picture([FACE], found=[FACE], scores=[0.45])]
    thresholds, margins = np.array([0.2, 0.6]), np.array([0.0, 0.2])
    grid = sweep(cases, hiding(), "face", thresholds, margins, 0.9)
    for row, threshold in enumerate(thresholds.tolist()):
        config = with_threshold(hiding(), "face", threshold)
        expected = np.array([leak_counts(case, config, 0, 0.9, margins) for case in cases])
        assert np.array_equal(grid.leaking[row], expected.T)
    assert grid.leaking[:, :, 2].tolist() == [[0, 0], [1, 1]]
    assert grid.object_frames[2] == 1 and (grid.rates()[1] >= grid.rates()[0]).all()


def test_losses_are_of_cases_with_objects() -> None:
    grid = sweep([picture([FACE]), picture([])], hiding(), "face", np.array([0.2]), np.array([0.2]), 0.9)
    assert grid.losses().tolist() == [[[1.0]]] and grid.rates().tolist() == [[1.0]]
    none = sweep([picture([])], hiding(), "face", np.array([0.2]), np.array([0.2]), 0.9)
    assert np.isnan(none.rates()).all()
