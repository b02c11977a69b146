from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonflow.detect.nms import suppress
from anonflow.types import Boxes
from tests.detect.conftest import pairwise_iou

CORNER = st.integers(0, 40)
SIDE = st.integers(1, 20)
ROWS = st.lists(st.tuples(CORNER, CORNER, SIDE, SIDE, st.integers(0, 5), st.integers(0, 2)), max_size=25)


def boxes(rows: list[tuple[int, int, int, int, int, int]]) -> Boxes:
    table = np.array(rows, np.float32).reshape(-1, 6)
    xyxy = np.hstack([table[:, :2], table[:, :2] + table[:, 2:4]])
    return Boxes(xyxy, table[:, 4] / 5, table[:, 5].astype(np.int16))


def suppress_by_definition(found: Boxes, max_iou: float) -> Boxes:
    kept: list[int] = []
    overlaps = pairwise_iou(found.xyxy, found.xyxy)
    for row in np.argsort(-found.scores, kind="stable"):
        rivals = [k for k in kept if found.classes[k] == found.classes[row]]
        if all(overlaps[row, k] <= max_iou for k in rivals):
            kept.append(int(row))
    return found[np.array(kept, np.int64)]


@given(ROWS)
def test_it_is_the_definition(rows: list[tuple[int, int, int, int, int, int]]) -> None:
    found = boxes(rows)
    # No ratio of small integers comes near this limit, so rounding cannot decide.
    assert suppress(found, 0.4321).equals(suppress_by_definition(found, 0.4321))


def test_another_class_is_no_rival() -> None:
    twins = boxes([(0, 0, 10, 10, 5, 0), (0, 0, 10, 10, 4, 1), (1, 0, 10, 10, 3, 0)])
    assert suppress(twins, 0.5).classes.tolist() == [0, 1]


def test_a_score_of_zero_is_kept() -> None:
    assert len(suppress(boxes([(0, 0, 5, 5, 0, 0)]), 0.5)) == 1


def test_nothing_stays_nothing() -> None:
    assert suppress(Boxes.empty(), 0.5).equals(Boxes.empty())
