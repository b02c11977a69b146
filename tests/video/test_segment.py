from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from anonflow.errors import FidelityError
from anonflow.video.segment import Segment, decode_segment, read_segment


def test_display_order_of_packets_in_decode_order() -> None:
    segment = Segment(Path("x"), np.array([100, 500, 300, 200, 400]), Fraction(1, 100), b"", np.ones(5, np.bool_))
    assert segment.display_rank.tolist() == [0, 4, 2, 1, 3]
    assert segment.reorder_depth == 2


def test_matching_is_exact_up_to_a_shift() -> None:
    segment = Segment(Path("x"), np.array([6, 18, 12]), Fraction(1, 90_000), b"", np.ones(3, np.bool_))
    assert segment.matches(np.array([70, 71, 72]), Fraction(1, 15_000))
    assert not segment.matches(np.array([70, 71, 73]), Fraction(1, 15_000))
    assert not segment.matches(np.array([70, 71]), Fraction(1, 15_000))
    assert not segment.matches(np.array([70, 71, 72]), Fraction(1, 15_001))


def test_unreadable(tmp_path: Path) -> None:
    (tmp_path / "torn.nut").write_bytes(b"nut/multimedia container\0")
    for name in ("none.nut", "torn.nut"):
        with pytest.raises(FidelityError, match=name):
            read_segment(tmp_path / name)
        with pytest.raises(FidelityError, match=name):
            next(decode_segment(tmp_path / name))
