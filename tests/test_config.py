from __future__ import annotations

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from typing import Any

import pytest

from anonflow.config import AnonymizeConfig, RegionConfig, TimeSpan, VideoRegions
from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


def test_without_a_detector_there_is_nothing_to_do() -> None:
    with pytest.raises(ConfigError, match="detector"):
        replace(configuration(), detector={})


@pytest.mark.parametrize("override", ["~mask.face", "~label.face"])
def test_a_label_that_is_detected_must_be_configured(override: str) -> None:
    with pytest.raises(ConfigError, match=override.lstrip("~")):
        configuration(override)


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
    units = (
        "_s",
        "_px",
        "_mb",
        "_db",
        "_bytes",
        "_frames",
        "_cpus",
        "_gpus",
        "_workers",
        "_hits",
        "_attempts",
        "_size",
        "_kb",
        "_days",
        "_port",
        "_iou",
    )
    scales = ("_luma", "_factor", "_objects", "_share", "_score", "_threshold", "_widths", "_visible", "_distance")
    scales += ("_pixels", "_streams", "_s_per_frame")
    shares_and_counts = {"threshold", "floor", "margin", "cells", "sigma", "crf", "max_upscale"}
    known = shares_and_counts | {"logical_cpus_per_core", "gallery", "within", "semitones"}

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
