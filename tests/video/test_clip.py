"""The clip writer and the single picture of the demo."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np

from anonflow.video.clip import picture_at, write_clip, write_side_by_side
from anonflow.video.probe import probe
from tests.media import picture

SIZE = (96, 64)


def test_a_clip_holds_its_pictures_and_as_long_a_tone(tmp_path: Path) -> None:
    pictures = [picture(*SIZE, number) for number in range(25)]
    write_clip(tmp_path / "clip.mp4", pictures, SIZE, 25)
    index = probe(tmp_path / "clip.mp4")
    assert (index.n_frames, index.stream.width, index.stream.height) == (25, *SIZE)
    assert abs(index.duration_s - 1) < 0.05
    with av.open(str(tmp_path / "clip.mp4")) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert abs(samples / 48_000 - 1) < 0.05


def test_the_picture_at_a_frame_is_that_frames(tmp_path: Path) -> None:
    pictures = [np.full((SIZE[1], SIZE[0], 3), 10 * number, np.uint8) for number in range(20)]
    write_clip(tmp_path / "clip.mp4", pictures, SIZE, 25)
    index = probe(tmp_path / "clip.mp4")
    for number in (0, 7, 19):
        assert abs(float(picture_at(tmp_path / "clip.mp4", index, number).mean()) - 10 * number) < 4


def test_two_pictures_stand_beside_each_other(tmp_path: Path) -> None:
    left, right = picture(*SIZE, 1), picture(*SIZE, 2)
    write_side_by_side(tmp_path / "both.png", left, right)
    assert np.array_equal(cv2.imread(str(tmp_path / "both.png")), np.hstack([left, right]))
