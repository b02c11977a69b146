from __future__ import annotations

from dataclasses import fields

import pytest

from anonflow.config import KeepConfig
from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


def test_nothing_is_kept_by_default() -> None:
    video = configuration().video
    assert all(getattr(video, field.name) == () for field in fields(KeepConfig))


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_the_lists_are_set_with_any_encoder(codec: str) -> None:
    video = configuration(f"video={codec}", "video.metadata=[title,'com.apple.*']", "video.subtitles=['*']").video
    assert video.metadata == ("title", "com.apple.*") and video.subtitles == ("*",) and video.cover == ()


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("video.chapters=[titles]", "times"),
        ("video.chapters=[times,names]", "names"),
        ("video.metadata=['']", "video.metadata"),
        ("video.data=[tmcd,'']", "video.data"),
        ("video.metadata=title", "video.metadata"),
        ("+video.covers=['*']", "covers"),
    ],
)
def test_lists_that_make_no_sense_are_refused(override: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        configuration(override)
