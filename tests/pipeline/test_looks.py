from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonflow.pipeline import looks as module
from anonflow.pipeline.looks import SourceLooks
from anonflow.types import Detections
from anonflow.video.probe import probe
from tests.media import Clip, make_clip
from tests.pipeline.worlds import FixedDetector, World

N_FRAMES = 20


def found(n_frames: int = N_FRAMES) -> Detections:
    """Two boxes in every frame but the third."""
    frames = np.repeat([f for f in range(n_frames) if f != 3], 2)
    boxes = np.tile(np.array([[4, 4, 24, 24], [20, 10, 44, 40]], np.float32), (len(frames) // 2, 1))
    return Detections(frames, boxes, np.ones(len(frames), np.float32), np.zeros(len(frames), np.int16))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", Clip(n_frames=N_FRAMES))


def test_each_detection_has_a_descriptor_of_length_one(clip: Path) -> None:
    looks = SourceLooks(clip, probe(clip), found().between)
    for frame in range(N_FRAMES):
        assert len(looks(frame)) == (0 if frame == 3 else 2)
        np.testing.assert_allclose(np.linalg.norm(looks(frame), axis=1), 1, rtol=1e-5)


def test_a_frame_looks_the_same_wherever_reading_began(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SourceLooks(clip, probe(clip), found().between)
    monkeypatch.setattr(module, "_BLOCK_FRAMES", 3)
    monkeypatch.setattr(module, "_KEPT_BLOCKS", 1)
    pieces = SourceLooks(clip, probe(clip), found().between)
    for frame in (17, 4, 5, 19, 0):
        assert np.array_equal(whole(frame), pieces(frame))


def test_a_rotated_picture_is_described_upright(tmp_path: Path) -> None:
    """The same coded picture, shown turned, looks otherwise."""
    plain = make_clip(tmp_path / "a.mp4", Clip(n_frames=4))
    turned = make_clip(tmp_path / "b.mp4", Clip(n_frames=4, rotation_deg=90))
    looks = [SourceLooks(path, probe(path), found(4).between)(0) for path in (plain, turned)]
    assert looks[0].shape == looks[1].shape and not np.allclose(*looks)


def test_deepsort_runs_through_all_stages_and_writes_no_descriptor(
    tmp_path: Path, detector: FixedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a mark in every descriptor, no file of the run holds the mark."""
    mark = np.float32(0.123456789)
    described = module.describe

    def marked(*given: Any) -> Any:
        rows = described(*given)
        rows[:, 0] = mark
        return rows

    monkeypatch.setattr(module, "describe", marked)
    world = World.make(tmp_path, "tracker=deepsort")
    world.clip()
    outcome = world.outcome()
    assert outcome.details["objects"] == {"face": 1}
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".mp4"]
    assert written and not any(mark.tobytes() in content for content in written)
