from __future__ import annotations

from anonflow.types import Verdict
from anonflow.video.contract.check import check


def test_a_point_holds_or_is_broken() -> None:
    assert check("frames", True, "40").verdict is Verdict.EQUAL
    assert check("frames", False).verdict is Verdict.BROKEN
