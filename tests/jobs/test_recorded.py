from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from anonflow.detect.models import ModelStore
from anonflow.errors import ConfigError, TruthError
from anonflow.jobs import recorded as job
from anonflow.jobs.launch import typed
from anonflow.jobs.leaks import LeaksConfig
from anonflow.jobs.recorded import recorded_scene
from anonflow.types import Boxes, Picture
from anonflow.video.clip import write_clip
from tests.media import Clip, make_clip


@dataclass
class Finds:
    """A detector that finds one box in each picture, where it is told."""

    xyxy: tuple[float, float, float, float]
    label: int
    provider: str = "cpu"

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        box = Boxes(np.array([self.xyxy], np.float32), np.ones(1, np.float32), np.array([self.label], np.int16))
        return [box for _ in pictures]


def detectors(choice: str = "plates") -> Any:
    """Those of the configuration, at the size of the clips."""
    names = {"plates": ("plate",), "faces_plates": ("face", "plate")}[choice]
    sizes = [f"detector.{name}.long_side_px=96" for name in names]
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        return typed(compose("leaks", overrides=[f"detector={choice}", *sizes]), LeaksConfig).detector


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The scene of a video and of a truth (its text), with a detector that finds `found`."""
    monkeypatch.setattr(ModelStore, "load", lambda *_: b"")

    def made(video: Path, text: str, found: Any, choice: str = "plates", label: str = "plate") -> Any:
        truth = tmp_path / "gt.txt"
        truth.write_text(text, encoding="utf-8")
        monkeypatch.setattr(job, "open_detector", lambda d, _w, labels, _p: Finds(found, labels.index("plate")))
        return recorded_scene(video, truth, label, detectors(choice), ModelStore(tmp_path), "cpu")

    return made


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, -90])
def test_truth_and_detections_lie_in_the_coded_picture(scene: Any, tmp_path: Path, rotation_deg: int) -> None:
    """Both are given in the upright one."""
    upright = (96, 64) if rotation_deg % 180 == 0 else (64, 96)
    video = make_clip(tmp_path / "clip.mp4", Clip(n_frames=5, rotation_deg=rotation_deg))
    made = scene(video, "".join(f"{n},1,8,4,32,16,1,1,1\n" for n in range(1, 6)), (8, 4, 40, 20))
    assert (made.width, made.height, made.name) == (96, 64, "clip.mp4")
    assert made.detections.frames.tolist() == made.truth.frames.tolist() == list(range(5))
    assert np.allclose(made.detections.xyxy, made.truth.xyxy, atol=1e-3)
    sides = made.truth.xyxy[0, 2:] - made.truth.xyxy[0, :2]
    assert sides.tolist() == pytest.approx([32, 16] if upright == (96, 64) else [16, 32], abs=1e-3)


def test_times_are_those_of_the_frames_from_the_first_on(scene: Any, tmp_path: Path) -> None:
    pts = [2560, 3072, 5120, 5632]
    video = make_clip(tmp_path / "clip.mkv", Clip(n_frames=4, pts=pts))
    made = scene(video, "", (0, 0, 8, 8))
    assert made.times_s == pytest.approx([0, 0.04, 0.2, 0.24], abs=2e-3)
    assert made.truth.end_s > made.times_s[-1] and made.shots.tolist() == [0] * 4


def test_labels_are_those_of_the_detectors(scene: Any, tmp_path: Path) -> None:
    video = make_clip(tmp_path / "clip.mp4", Clip(n_frames=3))
    made = scene(video, "1,1,0,0,8,8\n", (0, 0, 8, 8), choice="faces_plates")
    assert made.labels == ("face", "plate") and made.truth.labels.tolist() == [1]
    assert len(made.detections) == 6, "both detectors have looked at each frame"


def test_the_light_is_measured(scene: Any, tmp_path: Path) -> None:
    video, greys = tmp_path / "clip.mp4", (0, 128, 255)
    write_clip(video, (np.full((64, 96, 3), grey, np.uint8) for grey in greys), (96, 64), 25)
    luma = scene(video, "", (0, 0, 8, 8)).luma
    assert luma.dtype == np.float32 and luma == pytest.approx([0, 0.5, 1], abs=0.01)


def test_a_label_that_no_detector_gives_is_refused(scene: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"label=face.*choose one of: plate"):
        scene(make_clip(tmp_path / "clip.mp4", Clip(n_frames=3)), "", (0, 0, 8, 8), label="face")


def test_a_truth_of_a_longer_video_is_refused(scene: Any, tmp_path: Path) -> None:
    with pytest.raises(TruthError, match=r"gt\.txt, line 1: frame 4"):
        scene(make_clip(tmp_path / "clip.mp4", Clip(n_frames=3)), "4,1,0,0,8,8\n", (0, 0, 8, 8))
