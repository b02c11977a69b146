from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from anonflow.config import MergeConfig
from anonflow.detect.merge import ious, merge
from anonflow.detect.nms import suppress
from anonflow.types import Boxes
from tests.detect.conftest import pairwise_iou
from tests.detect.test_nms import ROWS, boxes


def opinion(rows: Any) -> Boxes:
    """Rows of x1, y1, x2, y2, score, class."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Boxes(table[:, :4], table[:, 4], table[:, 5].astype(np.int16))


ONE = opinion([(0, 0, 10, 10, 0.9, 0), (50, 50, 60, 60, 0.3, 0)])
OTHER = opinion([(1, 0, 11, 10, 0.8, 0), (80, 0, 90, 10, 0.6, 0)])


@given(ROWS, ROWS)
def test_the_overlap_is_that_of_its_definition(a: Any, b: Any) -> None:
    left, right = boxes(a), boxes(b)
    np.testing.assert_allclose(ious(left.xyxy, right.xyxy), pairwise_iou(left.xyxy, right.xyxy), atol=1e-6)


@given(ROWS, ROWS)
def test_a_union_loses_nothing_that_either_has(a: Any, b: Any) -> None:
    opinions = [suppress(boxes(a), 0.5), suppress(boxes(b), 0.5)]
    found = merge(opinions, (1, 1), MergeConfig("union", 0.5), 0.0)
    together = Boxes.concat(opinions)
    same = (ious(found.xyxy, together.xyxy) > 0.5) & (found.classes[:, None] == together.classes)
    assert (same | (found.xyxy[:, None] == together.xyxy).all(axis=2)).any(axis=0).all()
    assert (np.diff(found.scores) <= 0).all()


def test_a_union_takes_the_better_box_of_an_object() -> None:
    found = merge([ONE, OTHER], (1, 1), MergeConfig("union", 0.5), 0.0)
    np.testing.assert_allclose(found.scores, [0.9, 0.6, 0.3])
    assert found.xyxy[0].tolist() == [0, 0, 10, 10]


def test_a_vote_keeps_what_enough_opinions_have() -> None:
    counts = [len(merge([ONE, OTHER], (1, 1), MergeConfig("vote", 0.5, n), 0.0)) for n in (1, 2)]
    assert counts == [3, 1]
    twice = opinion([(0, 0, 10, 10, 0.9, 0), (2, 0, 12, 10, 0.8, 0)])
    assert len(merge([twice, opinion([])], (1, 1), MergeConfig("vote", 0.5, 2), 0.0)) == 0, "one voice, one vote"
    other_class = opinion([(0, 0, 10, 10, 0.9, 1)])
    assert len(merge([ONE, other_class], (1, 1), MergeConfig("vote", 0.5, 2), 0.0)) == 0


# The same rows given to `weighted_boxes_fusion` of the package ensemble-boxes 1.0.9, by the authors of the paper
# (picture of 200 px, iou_thr=0.5, skip_box_thr=0).
PAPER = [
    opinion(
        [
            (59.0, 61.7, 94.5, 100.4, 0.708, 0),
            (117.8, 106.9, 183.0, 196.5, 0.246, 1),
            (101.1, 35.1, 146.2, 96.4, 0.617, 1),
            (22.8, 93.1, 69.7, 155.3, 0.404, 0),
        ]
    ),
    opinion(
        [
            (113.4, 109.0, 176.1, 189.3, 0.58, 1),
            (16.8, 100.1, 69.8, 158.8, 0.377, 0),
            (15.8, 28.4, 55.6, 74.6, 0.211, 0),
            (100.9, 35.6, 154.7, 92.9, 0.9, 1),
            (52.0, 61.1, 85.6, 100.1, 0.264, 0),
        ]
    ),
    opinion(
        [
            (95.6, 38.7, 146.6, 95.8, 0.719, 1),
            (24.3, 109.7, 72.6, 163.4, 0.677, 0),
            (23.4, 27.6, 59.7, 85.4, 0.482, 0),
        ]
    ),
]
EQUAL = [
    (99.2509, 36.4589, 149.7499, 94.7983, 0.745333, 1),
    (21.9451, 102.618, 71.0724, 159.9661, 0.486, 0),
    (57.0988, 61.537, 92.0827, 100.3185, 0.324, 0),
    (114.7104, 108.3746, 178.155, 191.4443, 0.275333, 1),
    (21.086, 27.8436, 58.4517, 82.1117, 0.231, 0),
]
WEIGHTED = [
    (100.2582, 35.8903, 151.7623, 94.0533, 0.793286, 1),
    (20.1162, 100.3817, 70.4064, 158.8956, 0.427571, 0),
    (114.1698, 108.6326, 177.3072, 190.5597, 0.401714, 1),
    (56.0097, 61.4437, 90.6981, 100.2718, 0.353143, 0),
    (18.5626, 28.1092, 57.0903, 78.5258, 0.189429, 0),
]


@pytest.mark.parametrize(("weights", "expected"), [((1, 1, 1), EQUAL), ((1, 2, 0.5), WEIGHTED)])
def test_fusion_is_that_of_its_authors(weights: Any, expected: Any) -> None:
    found, known = merge(PAPER, weights, MergeConfig("wbf", 0.5), 0.0), opinion(expected)
    np.testing.assert_allclose(found.xyxy, known.xyxy, atol=2e-3)
    np.testing.assert_allclose(found.scores, known.scores, atol=2e-5)
    assert found.classes.tolist() == known.classes.tolist()


def test_fused_scores_below_the_floor_are_left_out() -> None:
    found = merge([ONE, opinion([])], (1, 1), MergeConfig("wbf", 0.5), 0.2)
    np.testing.assert_allclose(found.scores, [0.45])


@pytest.mark.parametrize("method", ["union", "vote", "wbf"])
def test_nothing_stays_nothing(method: str) -> None:
    assert merge([Boxes.empty(), Boxes.empty()], (1, 1), MergeConfig(method), 0.1).equals(Boxes.empty())
