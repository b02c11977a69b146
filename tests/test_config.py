from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from anonflow.config import CODECS, OPERATORS, SHAPES, AnonymizeConfig
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
    shares_and_counts = {"threshold", "floor", "margin", "cells", "sigma", "crf", "max_upscale"}
    known = shares_and_counts | {"logical_cpus_per_core"}

    def numbers(kind: Any) -> Iterator[Any]:
        for f in fields(kind):
            if f.type in ("int", "float", "int | None", "float | None"):
                yield f.name
            value = getattr(configuration(), f.name, None) if kind is AnonymizeConfig else None
            parts = value.values() if isinstance(value, dict) else [value]
            for part in parts:
                if is_dataclass(part):
                    yield from numbers(type(part))

    assert [name for name in numbers(AnonymizeConfig) if not name.endswith(units) and name not in known] == []
