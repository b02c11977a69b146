from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from anonflow.evidence.digest import rows_digest
from anonflow.types import Detections, MaskPlan

FOUND = Detections(
    np.array([0, 1, 1]),
    np.arange(12, dtype=np.float32).reshape(3, 4),
    np.array([0.5, 0.25, 1.0], np.float32),
    np.array([0, 1, 0], np.int16),
)


def test_equal_rows_have_equal_digests_whatever_their_memory() -> None:
    turned = replace(FOUND, xyxy=np.asfortranarray(FOUND.xyxy), frames=FOUND.frames.astype(">i8"))
    assert rows_digest(turned) == rows_digest(FOUND) and rows_digest(FOUND)["n"] == 3


@pytest.mark.parametrize("column", [field.name for field in fields(Detections)])
def test_any_changed_value_changes_the_digest(column: str) -> None:
    values = getattr(FOUND, column).copy()
    values.flat[-1] += 1
    assert rows_digest(replace(FOUND, **{column: values})) != rows_digest(FOUND)


def test_order_and_kind_count() -> None:
    assert rows_digest(FOUND[::-1]) != rows_digest(FOUND)
    assert rows_digest(MaskPlan.empty()) != rows_digest(Detections.empty())
