"""Averages against faster-coco-eval and pycocotools' definition, and against cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from anonflow.evaluate.areas import areas
from anonflow.evaluate.match import Found, Wanted, match
from anonflow.evaluate.precision import (
    area_under,
    coco_ap,
    coco_average,
    confusion,
    curve,
    operating,
    voc_ap,
    wider_ap,
)
from tests.evaluate.boxes import random_case
from tests.evaluate.test_match import HALF, found, wanted


def reference(some: Found, there: Wanted, n_pictures: int, per_picture: int) -> np.ndarray:
    """faster-coco-eval's averages (t, areas) of one label: all, small, medium, large."""
    coco_module = pytest.importorskip("faster_coco_eval")
    boxes = np.concatenate((there.xyxy[:, :2], there.xyxy[:, 2:] - there.xyxy[:, :2]), axis=1)
    truth = coco_module.COCO(
        {
            "images": [{"id": n, "width": 1000, "height": 1000} for n in range(n_pictures)],
            "categories": [{"id": 1, "name": "face"}],
            "annotations": [
                {
                    "id": n + 1,
                    "image_id": int(there.pictures[n]),
                    "category_id": 1,
                    "bbox": boxes[n].tolist(),
                    "area": float(areas(there.xyxy)[n]),
                    "iscrowd": int(there.crowd[n]),
                    "ignore": int(there.ignored[n]),
                }
                for n in range(len(there))
            ],
        }
    )
    sides = np.concatenate((some.xyxy[:, :2], some.xyxy[:, 2:] - some.xyxy[:, :2]), axis=1)
    results = truth.loadRes(
        [
            {"image_id": int(p), "category_id": 1, "bbox": box.tolist(), "score": float(s)}
            for p, box, s in zip(some.pictures, sides, some.scores, strict=True)
        ]
    )
    judge = coco_module.COCOeval_faster(truth, results, "bbox")
    judge.params.maxDets = [1, 2, per_picture]
    judge.evaluate()
    judge.accumulate()
    return np.asarray(judge.eval["precision"])[:, :, 0, :, -1].mean(axis=1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("per_picture", [100, 5])
def test_agrees_with_faster_coco_eval(seed: int, per_picture: int) -> None:
    some, there = random_case(seed)
    # The library takes a crowd for ignored; what else is to be ignored, its Python layer overwrites.
    there = Wanted(there.pictures, there.xyxy, there.crowd, there.crowd)
    theirs = reference(some, there, 40, per_picture)
    ours = coco_ap(match(some, there, max_per_picture=per_picture))
    np.testing.assert_allclose(ours, theirs[:, 0], atol=1e-6, rtol=0)
    for column, (low, high) in enumerate([(0, 32**2), (32**2, 96**2), (96**2, 1e10)], start=1):
        beside = [(a < low) | (a > high) for a in (areas(some.xyxy), areas(there.xyxy))]
        sized = Wanted(there.pictures, there.xyxy, there.ignored | beside[1], there.crowd)
        ours = coco_ap(match(some, sized, beside=beside[0], max_per_picture=per_picture))
        np.testing.assert_allclose(ours, theirs[:, column], atol=1e-6, rtol=0)


THREE = wanted((0, 0, 0, 10, 10), (0, 100, 0, 110, 10), (1, 0, 0, 10, 10))
FOUR = found((0, 0, 0, 10, 10, 0.9), (0, 50, 50, 60, 60, 0.8), (1, 0, 0, 10, 10, 0.7), (1, 0, 0, 10, 10, 0.6))
"""A hit, a false one, a hit, and the same again."""


def test_voc_by_hand() -> None:
    # Recall 1/3, 1/3, 2/3, 2/3 at precision 1, 1/2, 2/3, 1/2.
    assert voc_ap(FOUR, THREE) == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)


def test_voc_gives_a_detection_one_chance() -> None:
    there = wanted((0, 0, 0, 10, 10), (0, 0, 4, 10, 14))
    twice = found((0, 0, 0, 10, 10, 0.9), (0, 0, 1, 10, 11, 0.8))  # the second overlaps the first object most
    assert voc_ap(twice, there) == pytest.approx(0.5)
    assert coco_ap(match(twice, there, np.array([0.5])))[0] > 0.9


def test_voc_leaves_difficult_objects_out() -> None:
    there = wanted((0, 0, 0, 10, 10), (0, 100, 0, 110, 10), ignored=(1,))
    assert voc_ap(found((0, 100, 0, 110, 10, 0.95), (0, 0, 0, 10, 10, 0.9)), there) == 1


def test_wider_by_hand() -> None:
    # Scores stretched to 1, 2/3, 1/3, 0: cut at 1000 thresholds they come one after the other, as in VOC's curve.
    assert wider_ap(FOUR, THREE) == pytest.approx(1 / 3 + 1 / 3 * 2 / 3)


def test_wider_ignores_faces_of_other_levels_but_not_their_neighbours() -> None:
    there = wanted((0, 0, 0, 10, 10), (0, 100, 0, 110, 10), ignored=(1,))
    on_ignored = found((0, 100, 0, 110, 10, 0.95), (0, 0, 0, 10, 10, 0.9), (0, 200, 0, 210, 10, 0.1))
    assert wider_ap(on_ignored, there) == 1


def test_wider_counts_px_inclusively() -> None:
    """9 x 9 against 10 x 10 px: 8 x 8 and 9 x 9 in coordinates, so that only the inclusive count reaches 0.65."""
    near = found((0, 0, 0, 8, 7, 0.9))
    assert wider_ap(near, wanted((0, 0, 0, 9, 9)), least_iou=0.7) == 1
    assert voc_ap(near, wanted((0, 0, 0, 9, 9)), least_iou=0.7) == 0


def test_wider_cuts_scores_at_a_thousand_levels() -> None:
    """Two scores within one level are told apart by nothing: both count at once."""
    there = wanted((0, 0, 0, 10, 10))
    rows = [(0, 50.0, 0.0, 60.0, 10.0, 0.50001), (0, 0.0, 0.0, 10.0, 10.0, 0.5), (0, 200.0, 0.0, 210.0, 10.0, 0.0)]
    whole = found(*rows, (0, 300, 0, 310, 10, 1.0))
    assert wider_ap(whole, there) == pytest.approx(1 / 3)


def test_curve_and_operating_point_by_hand() -> None:
    matches = match(FOUR, THREE, HALF)
    got = curve(matches)
    np.testing.assert_allclose(got.precision, [1, 1 / 2, 2 / 3, 1 / 2])
    np.testing.assert_allclose(got.recall, [1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert got.false.tolist() == [0, 1, 1, 2] and got.missed.tolist() == [2, 2, 1, 1]
    point = operating(matches, 0.7)
    assert (point.hits, point.false, point.missed) == (2, 1, 1)
    assert point.precision == pytest.approx(2 / 3) and point.recall == pytest.approx(2 / 3)
    assert operating(matches, 0.85).f_score(1) == pytest.approx(2 * 1 * (1 / 3) / (4 / 3))
    assert operating(matches, 0.85).f_score(2) == pytest.approx(5 * 1 / (5 * 1 + 4 * 2 + 0))


def test_resampling_a_picture_twice_is_having_it_twice() -> None:
    some, there = random_case(5)
    weights = np.random.default_rng(0).integers(0, 3, 40).astype(np.float64)
    matches = match(some, there, HALF)
    n_wanted = float(weights[there.pictures[~there.ignored]].sum())
    rows, objects = (np.repeat(np.arange(len(x.pictures)), weights[x.pictures].astype(int)) for x in (some, there))
    # Copies of a picture get numbers of their own.
    copy = [np.concatenate([np.arange(k) for k in weights[x.pictures].astype(int)]) for x in (some, there)]
    twice = Found(some.pictures[rows] + 100 * copy[0], some.xyxy[rows], some.scores[rows])
    wanted_twice = Wanted(
        there.pictures[objects] + 100 * copy[1], there.xyxy[objects], there.ignored[objects], there.crowd[objects]
    )
    expected = coco_ap(match(twice, wanted_twice, HALF))[0]
    # Equal scores come in another order, and the best precision from there on forgets most of it.
    assert coco_average(matches, 0, n_wanted, weights) == pytest.approx(expected, abs=0.01)


def test_frames_as_negatives() -> None:
    there = wanted((0, 0, 0, 10, 10), (1, 0, 0, 10, 10), (4, 0, 0, 10, 10), ignored=(2,))
    some = found((0, 0, 0, 10, 10, 0.9), (2, 0, 0, 10, 10, 0.9), (3, 0, 0, 10, 10, 0.1))
    got = confusion(match(some, there, HALF), there, 5, threshold=0.5)
    assert (got.true_positive, got.false_positive, got.false_negative, got.true_negative) == (1, 1, 1, 1)
    assert got.balanced_accuracy == 0.5 and got.false_positive_rate == 0.5 and got.matthews == 0


def test_nothing_to_find_is_no_number() -> None:
    none = wanted()
    assert np.isnan([*coco_ap(match(FOUR, none)), voc_ap(FOUR, none), wider_ap(FOUR, none)]).all()
    assert coco_ap(match(found(), THREE)).tolist() == [0] * 10
    assert voc_ap(found(), THREE) == 0 == wider_ap(found(), THREE)


def test_area_under_a_curve() -> None:
    assert area_under(np.array([0.5, 1.0]), np.array([0.2, 0.4])) == pytest.approx(0.4)
