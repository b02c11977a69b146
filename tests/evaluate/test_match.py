from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anonflow.evaluate.match import Found, Wanted, iou, match
from tests.evaluate.boxes import random_case

HALF = np.array([0.5])


def found(*rows: tuple[int, float, float, float, float, float]) -> Found:
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Found(table[:, 0].astype(np.int64), table[:, 1:5], table[:, 5])


def wanted(*rows: Any, ignored: tuple[int, ...] = (), crowd: tuple[int, ...] = ()) -> Wanted:
    table = np.array(rows, np.float64).reshape(-1, 5)
    is_crowd = np.isin(np.arange(len(table)), crowd)
    is_ignored = np.isin(np.arange(len(table)), ignored) | is_crowd
    return Wanted(table[:, 0].astype(np.int64), table[:, 1:], is_ignored, is_crowd)


def test_overlap_by_hand() -> None:
    boxes, others = np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 10], [20, 20, 30, 30], [0, 0, 10, 5]])
    np.testing.assert_allclose(iou(boxes, others), [[1 / 3, 0, 0.5]])
    np.testing.assert_allclose(iou(boxes, others, np.array([True, False, True])), [[0.5, 0, 0.5]])


def test_the_better_score_chooses_first_and_the_other_is_false() -> None:
    got = match(found((0, 0, 0, 10, 10, 0.5), (0, 0, 0, 10, 9, 0.9)), wanted((0, 0, 0, 10, 10)), HALF)
    assert got.scores.tolist() == [0.9, 0.5]
    assert got.hits.tolist() == [[True, False]] and not got.ignored.any()
    assert got.found_scores.tolist() == [[0.9]]


def test_what_falls_on_an_ignored_object_counts_neither_way() -> None:
    twice = found((0, 0, 0, 10, 10, 0.9), (0, 0, 0, 10, 10, 0.8))
    got = match(twice, wanted((0, 0, 0, 10, 10), ignored=(0,)), HALF)
    assert got.ignored.tolist() == [[True, False]] and not got.hits.any() and got.n_wanted == 0


def test_a_crowd_takes_any_number() -> None:
    rows = [(0, 10 * n, 0, 10 * n + 10, 10, 0.9) for n in range(5)]
    got = match(found(*rows), wanted((0, 0, 0, 100, 100), crowd=(0,)), HALF)
    assert got.ignored.all()


def test_an_object_that_counts_is_preferred_to_an_ignored_one() -> None:
    there = wanted((0, 0, 0, 10, 10), (0, 0, 0, 10, 8), ignored=(0,))
    got = match(found((0, 0, 0, 10, 10, 0.9)), there, HALF)
    assert got.hits.all()


def test_pictures_do_not_mix() -> None:
    got = match(found((1, 0, 0, 10, 10, 0.9)), wanted((0, 0, 0, 10, 10)), HALF)
    assert not got.hits.any() and not got.ignored.any() and got.found_scores[0, 0] == -np.inf


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.81])
def test_choices_do_not_depend_on_lower_scores(threshold: float) -> None:
    some, there = random_case(3)
    whole, part = match(some, there), match(some[some.scores >= threshold], there)
    kept = whole.scores >= threshold
    assert np.array_equal(whole.hits[:, kept], part.hits) and np.array_equal(whole.ignored[:, kept], part.ignored)
    found_by_now = np.where(whole.found_scores >= threshold, whole.found_scores, -np.inf)
    assert np.array_equal(found_by_now[:, whole.counted], part.found_scores[:, whole.counted])


def test_nothing_found_and_nothing_wanted() -> None:
    some, there = random_case(1)
    assert match(found(), there).hits.shape == (10, 0)
    got = match(some, wanted())
    assert not got.hits.any() and not got.ignored.any() and got.n_wanted == 0


def test_only_the_best_of_each_picture_can_be_kept() -> None:
    some, there = random_case(2)
    got = match(some, there, HALF, max_per_picture=2)
    assert np.bincount(got.pictures).max() == 2
    best = [np.sort(some.scores[some.pictures == p])[-1] for p in np.unique(some.pictures)]
    assert [got.scores[got.pictures == p].max() for p in np.unique(got.pictures)] == best
