from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.evaluate import areas as module
from anonflow.evaluate.areas import areas, covered_shares, expand, union_areas
from tests.evaluate.rectangles import SIDE, boxes, drawn

calmly = settings(deadline=None, max_examples=50)


def reals(xyxy: Any) -> Any:
    return np.array(xyxy, np.float64).reshape(-1, 4)


def union(*xyxy: Any) -> float:
    return float(union_areas(np.zeros(len(xyxy), np.int64), reals(xyxy), 1)[0])


def test_areas_of_boxes() -> None:
    assert areas(reals([(0, 0, 2, 3), (1.5, 0, 2, 1), (3, 0, 2, 5), (0, 0, 0, 9)])).tolist() == [6, 0.5, 0, 0]


def test_what_is_covered_twice_counts_once() -> None:
    assert union() == 0
    assert union((0, 0, 10, 10)) == 100
    assert union((0, 0, 10, 10), (0, 0, 10, 10)) == 100
    assert union((0, 0, 10, 10), (5, 5, 15, 15)) == 175
    assert union((0, 0, 10, 10), (10, 0, 20, 10)) == 200
    assert union((0, 0, 10, 10), (2, 2, 3, 3)) == 100
    assert union((0, 0, 0.5, 0.5), (0.25, 0, 0.75, 0.5)) == 0.375


def test_boxes_without_area_cover_nothing() -> None:
    assert union((5, 5, 5, 9), (7, 7, 6, 8), (0, 0, 1, 1)) == 1


@calmly
@given(st.lists(boxes(low=0, high=SIDE), max_size=12))
def test_a_union_is_what_would_be_drawn(given_boxes: Any) -> None:
    assert union(*given_boxes) == drawn(given_boxes).sum()


@calmly
@given(st.lists(st.tuples(st.integers(0, 5), boxes(low=0, high=SIDE)), max_size=30), st.integers(1, 40))
def test_groups_do_not_touch_each_other_however_they_are_batched(rows: Any, max_cells: Any) -> None:
    groups, xyxy = np.array([g for g, _ in rows], np.int64), reals([box for _, box in rows])
    expected = [drawn(xyxy[groups == group]).sum() for group in range(6)]
    assert union_areas(groups, xyxy, 6).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MAX_CELLS", max_cells)
        assert union_areas(groups, xyxy, 6).tolist() == expected


@calmly
@given(boxes(min_side=1, low=0, high=SIDE), st.lists(boxes(), max_size=8))
def test_the_covered_share_is_what_would_be_drawn(box: Any, masks: Any) -> None:
    n = len(masks)
    (share,) = covered_shares(np.zeros(1, np.int64), reals([box]), np.zeros(n, np.int64), reals(masks))
    inside = drawn([box])
    assert share == pytest.approx((inside & drawn(masks)).sum() / inside.sum(), abs=1e-12)


fractions = st.floats(0, 50, width=32)


@calmly
@given(
    st.tuples(fractions, fractions, st.floats(0.125, 40, width=32), st.floats(0.125, 40, width=32)),
    st.tuples(*[st.floats(0, 9, width=32)] * 4),
    st.lists(boxes(), max_size=4),
)
def test_a_box_within_one_mask_is_covered_to_the_last_bit(box: Any, beyond: Any, others: Any) -> None:
    x, y, w, h = box
    inner = reals([(x, y, x + w, y + h)])
    outer = inner + np.array((-1, -1, 1, 1)) * beyond
    masks = np.concatenate((reals(others), outer))
    (share,) = covered_shares(np.zeros(1, np.int64), inner, np.zeros(len(masks), np.int64), masks)
    assert share == 1.0


def test_masks_of_other_frames_do_not_cover() -> None:
    box, mask_frames = reals([(0, 0, 10, 10)] * 3), np.array([0, 2, 2])
    masks = reals([(0, 0, 10, 10), (0, 0, 4, 10), (6, 0, 10, 10)])
    assert covered_shares(np.arange(3), box, mask_frames, masks).tolist() == [1, 0, 0.8]


def test_counting_within_rows() -> None:
    rows, places = expand(np.array([2, 0, 3]))
    assert rows.tolist() == [0, 0, 2, 2, 2] and places.tolist() == [0, 1, 0, 1, 2]
