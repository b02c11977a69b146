"""Boxes and truths that the tests of this package share."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from anonflow.evaluate.truth import Truth
from anonflow.types import MaskPlan

SIDE = 12
"""The pictures of the property tests are this wide and high, in px: small enough to be drawn."""


def boxes(min_side: int = 0, low: int = -2, high: int = SIDE + 2) -> st.SearchStrategy[tuple[int, int, int, int]]:
    """Boxes with whole coordinates, some of them partly outside of the picture."""
    spans = st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted)
    spans = spans.filter(lambda span: span[1] - span[0] >= min_side)
    return st.tuples(spans, spans).map(lambda both: (both[0][0], both[1][0], both[0][1], both[1][1]))


def drawn(xyxy: Any) -> np.ndarray:
    """The picture (SIDE, SIDE) bool with all boxes filled."""
    picture = np.zeros((SIDE, SIDE), np.bool_)
    for x1, y1, x2, y2 in np.clip(np.asarray(xyxy, np.int64).reshape(-1, 4), 0, SIDE).tolist():
        picture[y1:y2, x1:x2] = True
    return picture


def make_truth(rows: Any, times_s: Any, end_s: float, side: int = 100) -> Truth:
    """A truth of rows (frame, object, x1, y1, x2, y2, visible share), in any order."""
    table = np.array(sorted(rows), np.float64).reshape(-1, 7)
    return Truth(
        frames=table[:, 0].astype(np.int64),
        object_ids=table[:, 1].astype(np.int64),
        xyxy=table[:, 2:6].astype(np.float32),
        labels=np.zeros(len(table), np.int16),
        visible=table[:, 6].astype(np.float32),
        times_s=np.asarray(times_s, np.float64),
        end_s=end_s,
        width=side,
        height=side,
    )


def make_plan(rows: Any) -> MaskPlan:
    """A plan of rows (frame, x1, y1, x2, y2), in their order."""
    table = np.array(rows, np.float64).reshape(-1, 5)
    return MaskPlan(table[:, 0].astype(np.int64), table[:, 1:].astype(np.float32), np.zeros(len(table), np.int16))
