from __future__ import annotations

import re
from typing import Any

import pytest

from anonflow.config import OPERATORS, SHAPES, RegionConfig, TimeSpan, VideoRegions
from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


@pytest.mark.parametrize(
    "override",
    [
        "mask.face.operator=swirl",
        "mask.face.shape=star",
        "mask.face.margin=-0.1",
        "mask.face.margin=6",
        "mask.face.cells=0",
        "mask.face.min_cell_px=0",
        "mask.face.sigma=0",
        "mask.face.sigma=inf",
        "mask.face.min_sigma_px=0",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(override: str) -> None:
    with pytest.raises(ConfigError) as raised:
        configuration(override)
    assert override.lstrip("~").split("=")[0].split(".")[-1] in str(raised.value)


@pytest.mark.parametrize(("key", "values"), [("mask.face.operator", OPERATORS), ("mask.face.shape", SHAPES)])
def test_every_choice_is_accepted(key: Any, values: Any) -> None:
    for value in values:
        configuration(f"{key}={value}")


BOX = (0.1, 0.2, 0.3, 0.4)
TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "box or a polygon"),
        ({"box": BOX, "polygon": TRIANGLE}, "not both"),
        ({"box": BOX, "units": "inches"}, "units=inches"),
        ({"box": (0.3, 0.2, 0.3, 0.4)}, "x1 < x2"),
        ({"box": (0.1, 0.5, 0.3, 0.4)}, "y1 < y2"),
        ({"box": (0.1, 0.2, float("nan"), 0.4)}, "x1 < x2"),
        ({"box": (0.1, 0.2, float("inf"), 0.4), "units": "px"}, "finite"),
        ({"box": (0.1, 0.2, 1.01, 0.4)}, "1.01 is no share"),
        ({"box": (-0.1, 0.2, 0.9, 0.4)}, "-0.1 is no share"),
        ({"polygon": TRIANGLE[:2]}, "2 different points"),
        ({"polygon": (*TRIANGLE[:2], TRIANGLE[0])}, "2 different points"),
        ({"polygon": (*TRIANGLE[:2], (0.0, 1.5))}, "1.5 is no share"),
        ({"polygon": (*TRIANGLE[:2], (0.0, float("nan"))), "units": "px"}, "finite"),
        ({"box": BOX, "from_s": 2.0, "to_s": 2.0}, "from_s=2.0 must lie before to_s=2.0"),
        ({"box": BOX, "from_s": -1.0}, "from_s=-1.0"),
    ],
)
def test_a_region_that_makes_no_sense_is_refused(values: Any, told: Any) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        RegionConfig(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"box": BOX},
        {"box": (0.0, 0.0, 1.0, 1.0)},
        {"box": (-5.0, 0.0, 9000.0, 3.5), "units": "px"},
        {"polygon": TRIANGLE},
        {"polygon": (*TRIANGLE, TRIANGLE[0]), "from_s": 1.0},
        {"box": BOX, "to_s": 0.04},
    ],
)
def test_a_region_that_makes_sense_is_accepted(values: Any) -> None:
    RegionConfig(**values)


@pytest.mark.parametrize(("from_s", "to_s"), [(1.0, 0.5), (0.0, 0.0), (-1.0, 2.0), (0.0, float("nan"))])
def test_a_time_span_that_makes_no_sense_is_refused(from_s: float, to_s: float) -> None:
    with pytest.raises(ConfigError):
        TimeSpan(from_s, to_s)


def test_a_time_span_is_half_open() -> None:
    for inside in (TimeSpan.touches, TimeSpan.covers):
        assert [inside(TimeSpan(1.0, 2.0), t, t) for t in (0.99, 1.0, 1.99, 2.0)] == [False, True, True, False]
        assert inside(TimeSpan(), 0.0, 0.1) and inside(TimeSpan(3.0), 1e9, 1e9 + 1)
        assert not inside(TimeSpan(3.0), 2.0, 2.1)


def test_an_entry_must_say_something_about_some_videos() -> None:
    with pytest.raises(ConfigError, match="hide, keep, process or mute"):
        VideoRegions("*")
    with pytest.raises(ConfigError, match="pattern"):
        VideoRegions("", process=(TimeSpan(),))
