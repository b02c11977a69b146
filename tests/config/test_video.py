from __future__ import annotations

import pytest

from anonflow.config import CODECS, PRESETS
from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration

GROUPS = ("match", "h264", "hevc", "av1", "vp9", "ffv1", "lossless")


@pytest.mark.parametrize(
    "override",
    [
        "video.codec=mpeg4",
        "video.codec=libx264",
        "video.crf=-1",
        "video.crf=52",
        "video.preset=12",
        "video.target_psnr_db=0",
        "video.target_psnr_db=nan",
        "video.target_psnr_db=inf",
        "video.target_psnr_db=null",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(override: str) -> None:
    with pytest.raises(ConfigError) as raised:
        configuration(override)
    assert override.split("=", maxsplit=1)[0] in str(raised.value)


@pytest.mark.parametrize(
    "overrides",
    [
        ("video=lossless", "video.crf=20"),
        ("video=ffv1", "video.preset=slow"),
        ("video=ffv1", "video.lossless=false"),
        ("video=ffv1", "video.crf=20"),
        ("video=av1", "video.crf=64"),
    ],
)
def test_no_value_is_accepted_and_ignored(overrides: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=overrides[-1].split("=", maxsplit=1)[0]):
        configuration(*overrides)


def test_every_group_is_valid_and_is_what_its_name_says() -> None:
    for group in GROUPS:
        video = configuration(f"video={group}").video
        assert video.codec == ("match" if group == "lossless" else group)
        assert video.lossless == (group in ("ffv1", "lossless"))
    assert configuration().video == configuration("video=match").video
    assert set(CODECS) < set(GROUPS)


def test_every_preset_is_accepted() -> None:
    for preset in PRESETS:
        assert configuration(f"video.preset={preset}").video.preset == preset
