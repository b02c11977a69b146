from __future__ import annotations

from dataclasses import replace

import pytest

from anonflow.types import StreamFormat, Verdict
from anonflow.video.contract.sidedata import FORBIDDEN, compare_side_data

PLAIN = StreamFormat("h264", "yuv420p", 96, 64, None, 0, 0, 2, 2, 2)


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_what_must_not_pass(name: str) -> None:
    carrying = replace(PLAIN, side_data=(name,))
    for source in (PLAIN, carrying):
        assert compare_side_data(source, carrying).verdict is Verdict.BROKEN
    removed = compare_side_data(carrying, PLAIN)
    assert (removed.verdict, removed.detail) == (Verdict.CHANGED_BY_POLICY, f"removed: {name}")


def test_the_rest_is_equal_or_told() -> None:
    stereo = replace(PLAIN, side_data=("stereo3d",))
    assert compare_side_data(stereo, stereo).verdict is Verdict.EQUAL
    assert compare_side_data(stereo, PLAIN).detail == "removed: stereo3d"
    assert compare_side_data(PLAIN, PLAIN).detail == "none"
