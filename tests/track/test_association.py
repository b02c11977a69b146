from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from anonflow.track.association import Mask, overlaps, pair
from anonflow.track.kalman import Reals


def test_overlap_is_intersection_over_union() -> None:
    first = np.array([[0.0, 0, 10, 10], [0, 0, 0, 0]])
    second = np.array([[0.0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [20, 20, 10, 10], [0, 0, 0, 0]])
    np.testing.assert_allclose(overlaps(first, second), [[1, 1 / 3, 0, 0, 0], [0, 0, 0, 0, 0]])


def test_no_boxes_overlap_nothing() -> None:
    assert overlaps(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)


def best_sum(iou: Reals, allowed: Mask) -> float:
    """Largest sum of allowed pairs, by trying all pairings."""
    weights = np.where(allowed, iou, 0.0)
    weights = weights if weights.shape[0] <= weights.shape[1] else weights.T
    rows = range(weights.shape[0])
    return max(float(weights[rows, list(c)].sum()) for c in permutations(range(weights.shape[1]), len(rows)))


SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4))


@given(st.data(), SHAPES)
@settings(max_examples=150, deadline=None)
def test_the_pairing_is_the_best_of_all(data: st.DataObject, shape: tuple[int, int]) -> None:
    iou = data.draw(hnp.arrays(np.float64, shape, elements=st.sampled_from([0.1, 0.3, 0.3, 0.5, 0.9])))
    allowed = data.draw(hnp.arrays(np.bool_, shape))
    rows, columns = pair(iou, allowed)
    assert allowed[rows, columns].all()
    assert len(set(rows)) == len(set(columns)) == len(rows)
    assert np.isclose(iou[rows, columns].sum(), best_sum(iou, allowed))
    assert (np.diff(rows) > 0).all()
