from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from anonflow.config import KeepConfig
from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


def test_nothing_is_kept_by_default() -> None:
    video = configuration().video
    assert all(getattr(video, field.name) == () for field in fields(KeepConfig))


def test_the_lists_are_set_with_another_encoder() -> None:
    video = configuration("video=hevc", "video.metadata=[title,'com.apple.*']", "video.subtitles=['*']").video
    assert video.metadata == ("title", "com.apple.*") and video.subtitles == ("*",) and video.cover == ()


@pytest.mark.parametrize(
    ("override", "told"), [("video.metadata=title", "video.metadata"), ("+video.covers=['*']", "covers")]
)
def test_what_is_no_list_is_refused(override: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        configuration(override)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"chapters": ("titles",)}, "times"),
        ({"chapters": ("times", "names")}, "names"),
        ({"metadata": ("",)}, "video.metadata"),
        ({"data": ("tmcd", "")}, "video.data"),
    ],
)
def test_lists_that_make_no_sense_are_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        KeepConfig(**values)
