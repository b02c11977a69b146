from __future__ import annotations

from dataclasses import replace

import pytest

from anonflow.types import StreamFormat, Verdict
from anonflow.video.contract.hdr import compare_hdr
from tests.rare import LIGHT, MASTERING_NUMBERS

PLAIN = StreamFormat("hevc", "yuv420p10le", 96, 64, None, 0, 0, 9, 16, 9)
HDR = replace(PLAIN, mastering_display=MASTERING_NUMBERS, content_light=LIGHT)


def test_equal() -> None:
    assert compare_hdr(PLAIN, PLAIN).detail == "none"
    check = compare_hdr(HDR, HDR)
    assert (check.verdict, check.detail) == (Verdict.EQUAL, "mastering display, light level")


def test_the_fractions_of_av1_are_equal() -> None:
    *colour, brightest, darkest = MASTERING_NUMBERS
    av1 = replace(HDR, mastering_display=(*(c + 1 for c in colour), brightest + 19, darkest))
    assert compare_hdr(HDR, av1).verdict is compare_hdr(av1, HDR).verdict is Verdict.EQUAL


@pytest.mark.parametrize(
    "wrong",
    [
        replace(HDR, mastering_display=None),
        replace(HDR, content_light=None),
        replace(HDR, content_light=(1000, 401)),
        replace(HDR, mastering_display=(*MASTERING_NUMBERS[:8], 9_999_000, 50)),
        replace(HDR, mastering_display=(MASTERING_NUMBERS[0] + 2, *MASTERING_NUMBERS[1:])),
        replace(HDR, mastering_display=(*MASTERING_NUMBERS[:9], 55)),
    ],
)
def test_each_difference_is_broken_both_ways(wrong: StreamFormat) -> None:
    assert compare_hdr(HDR, wrong).verdict is compare_hdr(wrong, HDR).verdict is Verdict.BROKEN
