from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.differences import broken
from tests.media import Clip


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (Clip(audio=("aac",), width=98), {"size"}),
        (Clip(audio=("aac",), rotation_deg=90), {"rotation"}),
        (Clip(audio=("aac",), sample_aspect_ratio=Fraction(4, 3)), {"pixel aspect"}),
        (Clip(audio=("aac",), pixel_format="yuv420p10le"), {"pixel format"}),
        (Clip(audio=("aac",), colour=(1, 9, 16, 9)), {"colour tags"}),
    ],
)
def test_each_change_breaks_its_check_and_no_other(tmp_path: Path, wrong: Clip, expected: set[str]) -> None:
    assert broken(tmp_path, wrong) == expected
