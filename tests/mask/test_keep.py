from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.mask.keep import KeepShape, inward, kept_cells


@given(st.floats(-9, 60), st.floats(-9, 60), st.integers(1, 50), st.integers(0, 2))
def test_only_whole_cells_lie_inward(low: float, high: float, limit: int, shift: int) -> None:
    start, stop = inward(low, high, limit, shift)
    cell = 1 << shift
    whole = [
        first
        for first in range(0, limit, cell)
        if low <= first and (first + cell <= high or (first + cell > limit and limit <= high))
    ]
    assert list(range(start, stop, cell)) == whole


@pytest.mark.parametrize("shifts", [(0, 0), (1, 0), (1, 1), (2, 2)])
def test_a_polygon_keeps_no_cell_that_it_does_not_hold_whole(shifts: Any) -> None:
    points = ((3.2, 2.9), (37.4, 6.1), (30.3, 29.8), (8.1, 25.5))
    width, height = 41, 33
    kept = kept_cells((KeepShape(0, 0, width, height, points),), width, height, *shifts)
    pixels = kept.repeat(1 << shifts[1], 0).repeat(1 << shifts[0], 1)[:height, :width]
    assert pixels.any()
    # Each of its pixels lies, with its corners, on the same side of every edge.
    rows, columns = np.nonzero(pixels)
    for dx, dy in [(0, 0), (1, 0), (0, 1), (1, 1)]:
        for (x1, y1), (x2, y2) in zip(points, (*points[1:], points[0]), strict=True):
            assert ((x2 - x1) * (rows + dy - y1) - (y2 - y1) * (columns + dx - x1) > 0).all()


def test_all_regions_are_kept_and_nothing_else() -> None:
    kept = kept_cells((KeepShape(2, 4, 8, 8), KeepShape(6, 0, 11, 6)), 11, 9, 1, 1)
    wanted = np.zeros((5, 6), bool)
    wanted[2:4, 1:4] = wanted[0:3, 3:6] = True
    assert np.array_equal(kept, wanted)


def test_what_was_computed_once_is_not_computed_again_and_cannot_be_changed() -> None:
    keep = (KeepShape(0, 0, 8, 8, ((0.0, 0.0), (8.0, 0.0), (0.0, 8.0))),)
    kept = kept_cells(keep, 16, 16, 1, 1)
    assert kept_cells(keep, 16, 16, 1, 1) is kept
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0] = True


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(-20, 60), st.floats(-20, 60)), min_size=3, max_size=6))
def test_a_polygon_keeps_no_more_than_its_box(points: Any) -> None:
    part = kept_cells((KeepShape(8, 4, 20, 16, tuple(points)),), 40, 30, 1, 1)
    box = kept_cells((KeepShape(8, 4, 20, 16),), 40, 30, 1, 1)
    assert not (part & ~box).any()
