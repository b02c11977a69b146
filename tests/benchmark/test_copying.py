"""What copying groups of pictures without a mask saves, beside encoding everything, in one run.

    [ANONFLOW_BENCHMARK_VIDEO=FILE] pytest -n 0 -s -m benchmark tests/benchmark/test_copying.py

Of the file (H.264 in MP4; without one, a generated 1080p clip) none, a fifth, and all groups of pictures get a box
hidden in one frame. Speed is CPU time of masking and joining, the contract included; detection is left out.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonflow.config import RegionConfig, VideoRegions
from anonflow.types import FrameIndex
from anonflow.video.copying import Groups, find_groups
from anonflow.video.decode import decode_range
from anonflow.video.planes import plane_set
from anonflow.video.probe import probe
from anonflow.video.psnr import psnr_db, relative_error
from tests.media import Clip, make_clip
from tests.pipeline.worlds import FixedDetector, World, use_detector

BOX = (0.25, 0.25, 0.5, 0.5)
GENERATED = Clip(
    width=1920, height=1080, n_frames=100, options={"preset": "fast", "g": "10", "x264-params": "scenecut=0"}
)


def frames_to_hide(index: FrameIndex, groups: Groups, share: float) -> list[int]:
    """The middle frame of every group that is to be dirty."""
    dirty = np.linspace(0, len(groups.ranges), round(share * len(groups.ranges)), endpoint=False).astype(int)
    return [sum(groups.ranges[n]) // 2 for n in dirty]


def hiding(world: World, index: FrameIndex, frames: list[int], *, copy_clean: bool) -> World:
    """The world in which a box is hidden in these frames."""
    times = (index.pts - index.pts[0]) * float(index.time_base)
    step = index.frame_interval_s / 4
    hide = tuple(RegionConfig(from_s=times[n] + step, to_s=times[n] + 2 * step, box=BOX) for n in frames)
    video = replace(world.config.video, copy_clean=copy_clean, crf=None, preset=None)
    regions = [VideoRegions(videos="*", hide=hide)] if hide else []
    return replace(world, config=replace(world.config, regions=regions, video=video))


def kept_db(source: Path, output: Path) -> float:
    """Luma PSNR outside the box, over every tenth frame."""
    pairs: Any = zip(*(whole(path) for path in (source, output)), strict=True)
    errors = []
    for number, (a, b) in enumerate(pairs):
        if number % 10 == 0:
            outside = np.ones(a.shape, np.bool_)
            height, width = a.shape
            outside[height // 4 - 2 : height // 2 + 2, width // 4 - 2 : width // 2 + 2] = False
            errors.append(relative_error(a, b, 8, outside))
    return psnr_db(float(np.mean(errors)))


def whole(path: Path) -> Any:
    index = probe(path)
    frames = decode_range(path, index, int(index.pts[0]), index.end_pts)
    return (plane_set(frame).planes[0] for _, frame in frames)


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_copying_beside_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_detector(monkeypatch, FixedDetector(boxes=()))
    given = os.environ.get("ANONFLOW_BENCHMARK_VIDEO")
    print("\n| dirty groups | frames copied | | mask + join (frames/s and core) | PSNR outside (dB) | rate |")
    print("|---|---|---|---|---|---|")
    for share in (0.0, 0.2, 1.0):
        for copy_clean in (True, False):
            root = tmp_path / f"{share}{copy_clean}"
            root.mkdir()
            world = World.make(root, "chunk.length_s=20")
            source = world.clip("clip.mp4", GENERATED) if given is None else root / "in" / "clip.mp4"
            if given is not None:
                shutil.copy(given, source)
            index = probe(source)
            frames = frames_to_hide(index, find_groups(source, index, "h264", ".mp4"), share)
            outcome = hiding(world, index, frames, copy_clean=copy_clean).outcome()
            assert outcome.output_uri, outcome.message
            times = outcome.details["stage_seconds"]
            cpu_s = times["mask"]["cpu_s"] + times["join"]["cpu_s"]
            video, name = outcome.details["video"], "copy_clean" if copy_clean else "full encode"
            rate = f"{video['rate_ratio']:.2f}"
            speed = f"{outcome.frames / cpu_s:.0f}"
            psnr = f"{kept_db(source, Path(outcome.output_uri)):.1f}"
            print(f"| {share:.0%} | {video['copied_frames']} | {name} | {speed} | {psnr} | {rate} |")


def test_the_generated_clip_can_be_copied_in_groups(tmp_path: Path) -> None:
    small = replace(GENERATED, width=96, height=64)
    path = make_clip(tmp_path / "clip.mp4", small)
    index = probe(path)
    groups = find_groups(path, index, "h264", ".mp4")
    assert len(groups.ranges) == 10 and len(frames_to_hide(index, groups, 0.2)) == 2
