from __future__ import annotations

import numpy as np
import pytest

from anonflow.evaluate.intervals import Bootstrap
from anonflow.evaluate.slices import members, slices, worst
from tests.evaluate.samples import picture

SMALL, TALL = [0, 0, 10, 10], [20, 20, 60, 90]


def of(cases: list, found: list, leaking: list) -> object:
    return members(cases, 0, [np.array(f, bool) for f in found], [np.array(x, bool) for x in leaking])


def cases() -> list:
    return [
        picture([SMALL, TALL], item_id="a", luma=0.1, hat=["yes", ""]),
        picture([SMALL, TALL], item_id="b", luma=0.5, hat=["yes", "no"], ignored=[False, True]),
    ]


def test_groups_by_size_light_and_attribute() -> None:
    made = of(cases(), [[True, False], [False, False]], [[False, True], [True, True]])
    got = {(s.by, s.group): s for s in slices("face", made, 2, Bootstrap(100), 1)}
    assert got["height", "0-16 px"].object_frames == 2 and got["height", "0-16 px"].recall == 0.5
    assert got["height", "64-128 px"].object_frames == 1, "what is ignored is in no group"
    assert got["light", "dark"].leak_rate == 0.5 and got["light", "middle"].leak_rate == 1
    assert got["hat", "yes"].items == 2 and ("hat", "") not in got
    assert got["hat", "yes"].recall_interval is not None and got["light", "dark"].recall_interval is None


def test_small_groups_are_left_out_and_the_worst_is_named() -> None:
    made = of(cases(), [[True, False], [False, False]], [[False, False], [True, True]])
    assert {s.object_frames for s in slices("face", made, 2, Bootstrap(0), 2)} == {2}
    lowest = worst(slices("face", made, 2, Bootstrap(0), 1))
    assert lowest is not None and (lowest.by, lowest.group) == ("light", "middle") and lowest.leak_rate == 1
    assert worst([]) is None


def test_what_all_have_and_what_each_has_alone_is_no_group() -> None:
    many = picture([[n, 0, n + 1, 10] for n in range(60)], number=[str(n) for n in range(60)])
    made = of([many], [[True] * 60], [[False] * 60])
    assert slices("face", made, 1, Bootstrap(0), 1) == []


@pytest.mark.parametrize(("height", "band"), [(15.9, "0-16 px"), (16, "16-32 px"), (128, "128 px and more")])
def test_a_limit_belongs_to_the_band_above(height: float, band: str) -> None:
    case = picture([[0, 0, 10, min(height, 100)], [0, 0, 50, 40]])
    if height > 100:
        return
    made = of([case], [[True, True]], [[False, False]])
    assert made.groups["height"][0] == band  # type: ignore[attr-defined]
