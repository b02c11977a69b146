from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from anonflow.config import CODECS, OPERATORS, SHAPES, AnonymizeConfig, RegionConfig, TimeSpan, VideoRegions
from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


@pytest.mark.parametrize(
    "override",
    [
        "chunk.length_s=0",
        "chunk.length_s=nan",
        "chunk.overlap_frames=-1",
        "detector.face.long_side_px=31",
        "detector.face.max_upscale=0",
        "detector.face.threshold=1.1",
        "detector.face.threshold=nan",
        "detector.face.floor=-0.1",
        "detector.face.floor=0.95",
        "detector.face.nms_iou=2",
        "detector.face.batch_size=0",
        "tracker.buffer_s=-1",
        "tracker.min_hits=0",
        "tracker.high_match_iou=1.5",
        "tracker.low_match_iou=-1",
        "stabilise.max_gap_s=-1",
        "stabilise.extend_before_s=-1",
        "stabilise.extend_after_s=-1",
        "mask.face.operator=swirl",
        "mask.face.shape=star",
        "mask.face.margin=-0.1",
        "mask.face.margin=6",
        "mask.face.cells=0",
        "mask.face.min_cell_px=0",
        "mask.face.sigma=0",
        "mask.face.min_sigma_px=0",
        "video.codec=mpeg4",
        "video.crf=-1",
        "video.crf=64",
        "runtime.provider=tpu",
        "runtime.object_store_mb=10",
        "runtime.max_attempts=0",
        "runtime.chunk_timeout_s=0",
        "~mask.face",
        "detector={}",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(override: str) -> None:
    with pytest.raises(ConfigError) as raised:
        configuration(override) if override != "detector={}" else replace(configuration(), detector={})
    key = override.lstrip("~").split("=")[0].split(".")[-1]
    assert key in str(raised.value)


@pytest.mark.parametrize(
    "override",
    [
        "chunk.length_s=inf",
        "runtime.chunk_timeout_s=inf",
        "tracker.buffer_s=inf",
        "stabilise.extend_after_s=inf",
        "mask.face.sigma=inf",
        "detector.face.max_upscale=inf",
    ],
)
def test_infinity_is_refused_before_it_breaks_a_stage(override: str) -> None:
    """Each of these quarantines every video, or ends the run as a defect, where it is first used."""
    with pytest.raises(ConfigError):
        configuration(override)


@pytest.mark.parametrize(
    "override",
    [
        "runtime.mask.num_cpus=-1",
        "runtime.mask.memory_mb=-1",
        "runtime.mask.max_workers=0",
        "runtime.detect.max_workers=-1",
        "runtime.detect.num_gpus=-1",
        "runtime.logical_cpus_per_core=-1",
    ],
)
def test_resources_that_ray_cannot_give_are_refused(override: str) -> None:
    with pytest.raises(ConfigError):
        configuration(override)


@pytest.mark.parametrize("extension", [".mp4", "MP4", "mp4"])
def test_extensions_are_understood_as_people_write_them(extension: str, tmp_path: Path) -> None:
    from anonflow.pipeline.sources import list_sources

    (tmp_path / "a.mp4").touch()
    config = configuration(f"source.extensions=['{extension}']").source
    assert len(list_sources(str(tmp_path), tmp_path / "out", config).sources) == 1


@pytest.mark.parametrize(
    ("key", "values"), [("mask.face.operator", OPERATORS), ("mask.face.shape", SHAPES), ("video.codec", CODECS)]
)
def test_every_choice_is_accepted(key: Any, values: Any) -> None:
    for value in values:
        configuration(f"{key}={value}")


def test_labels_are_sorted_and_each_once() -> None:
    config = configuration()
    assert config.labels == ("face", "plate")
    face = config.detector["face"]
    assert replace(config, detector={"b": face, "a": face}).labels == ("face",)


def test_a_label_without_a_mask_is_refused() -> None:
    config = configuration()
    with pytest.raises(ConfigError, match=r"mask\.plate"):
        replace(config, mask={"face": config.mask["face"]})


def test_values_cannot_be_changed_later() -> None:
    with pytest.raises(FrozenInstanceError):
        configuration().video.crf = 3


def test_every_number_has_a_unit_or_is_a_share_or_count() -> None:
    """A duration, size or memory without its unit in its name is one that somebody will get wrong."""
    units = ("_s", "_px", "_mb", "_frames", "_cpus", "_gpus", "_workers", "_hits", "_attempts", "_size", "_iou")
    scales = ("_luma", "_factor", "_objects", "_share", "_score", "_threshold", "_widths", "_visible", "_distance")
    shares_and_counts = {"threshold", "floor", "margin", "cells", "sigma", "crf", "max_upscale"}
    known = shares_and_counts | {"logical_cpus_per_core", "gallery", "within"}

    def numbers(kind: Any) -> Iterator[Any]:
        for f in fields(kind):
            if f.type in ("int", "float", "int | None", "float | None"):
                yield f.name
            value = getattr(configuration(), f.name, None) if kind is AnonymizeConfig else None
            parts = value.values() if isinstance(value, dict) else [value]
            for part in parts:
                if is_dataclass(part):
                    yield from numbers(type(part))

    by_hand = [name for kind in (VideoRegions, RegionConfig, TimeSpan) for name in numbers(kind)]
    assert [
        name
        for name in [*numbers(AnonymizeConfig), *by_hand]
        if not name.endswith(units + scales) and name not in known
    ] == []


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
    with pytest.raises(ConfigError, match="hide, keep or process"):
        VideoRegions("*")
    with pytest.raises(ConfigError, match="pattern"):
        VideoRegions("", process=(TimeSpan(),))
