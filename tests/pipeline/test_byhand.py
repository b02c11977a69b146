from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from anonflow.config import RegionConfig, TimeSpan, VideoRegions
from anonflow.pipeline.byhand import hidden_frames, region_plan, shown_s
from anonflow.types import FrameIndex, MaskPlan
from anonflow.video.probe import probe
from tests.media import make_clip
from tests.pipeline.worlds import configuration

HIDE = RegionConfig(from_s=0.4, to_s=0.5, box=(0.0, 0.0, 0.5, 0.5))
FOUND = MaskPlan(np.array([3, 30]), np.array([[0, 0, 9, 9]] * 2, np.float32), np.zeros(2, np.int16))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> FrameIndex:
    return probe(make_clip(tmp_path_factory.mktemp("byhand") / "clip.mp4"))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (None, [3, 30]),
        (VideoRegions("*", hide=(HIDE,)), [3, 10, 11, 12, 30]),
        (VideoRegions("other/*", hide=(HIDE,)), [3, 30]),
        (VideoRegions("*", process=(TimeSpan(1.0, 2.0),)), [30]),
        (VideoRegions("*", hide=(HIDE,), process=(TimeSpan(0.0, 0.42),)), [3, 10]),
        # A kept region may leave nothing of a mask; the frame counts as hidden all the same.
        (VideoRegions("*", keep=(RegionConfig(box=(0.0, 0.0, 1.0, 1.0)),)), [3, 30]),
    ],
)
def test_frames_with_anything_hidden(index: FrameIndex, entry: VideoRegions | None, expected: list[int]) -> None:
    config = replace(configuration(), regions=[entry] if entry else [])
    is_hidden = hidden_frames(FOUND, region_plan(config, "clip.mp4", index), index)
    assert np.flatnonzero(is_hidden).tolist() == expected


def test_a_frame_is_shown_until_the_next_one(index: FrameIndex) -> None:
    assert shown_s(index, 0) == (0.0, 0.04) and shown_s(index, 39) == (1.56, 1.6)


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    from tests.media import Clip

    late = probe(make_clip(tmp_path / "late.mp4", Clip(pts=[9999 + 512 * n for n in range(10)])))
    assert shown_s(late, 0)[0] == 0.0
