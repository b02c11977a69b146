from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from anonflow.evaluate.truth import Scene, Truth, clipped
from anonflow.types import Detections
from tests.evaluate.rectangles import make_truth

ROWS = [(0, 1, 0, 0, 10, 10, 1.0), (1, 1, 0, 0, 10, 10, 1.0), (1, 2, 50, 50, 60, 60, 0.5)]


@pytest.fixture
def truth() -> Truth:
    return make_truth(ROWS, [0.0, 0.1, 0.5], 0.9)


def test_a_frame_lasts_until_the_next(truth: Truth) -> None:
    assert (len(truth), truth.n_frames) == (3, 3)
    assert truth.durations_s == pytest.approx([0.1, 0.4, 0.4])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.zeros(2, np.int16)}, "length"),
        ({"times_s": np.array([0.0, 0.5, 0.5])}, "increase"),
        ({"end_s": 0.5}, "increase"),
        ({"frames": np.array([1, 0, 1])}, "sorted"),
        ({"frames": np.array([0, 1, 3])}, "outside"),
        ({"frames": np.array([-1, 1, 1])}, "outside"),
        ({"object_ids": np.array([1, 2, 2])}, "two boxes"),
        ({"width": 59}, "clipped"),
        ({"xyxy": np.array([(0, 0, 0, 9)] * 3, np.float32)}, "empty"),
        ({"xyxy": np.array([(-1, 0, 5, 9)] * 3, np.float32)}, "clipped"),
    ],
)
def test_a_truth_that_contradicts_itself_is_refused(truth: Truth, changes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(truth, **changes)


def test_a_scene_tells_of_its_video(truth: Truth) -> None:
    scene = Scene("s", truth, Detections.empty(), np.zeros(3, np.int32), np.ones(3, np.float32), ("face",))
    assert (scene.width, scene.height, scene.n_frames) == (100, 100, 3)
    assert scene.times_s is truth.times_s
    assert scene.frame_interval_s == pytest.approx(0.25), "of 0.1 and 0.4; the last frame's end is not a frame"


def test_the_interval_of_a_single_frame_is_its_duration() -> None:
    alone = make_truth([], [2.0], 2.5)
    scene = Scene("s", alone, Detections.empty(), np.zeros(1, np.int32), np.ones(1, np.float32), ("face",))
    assert scene.frame_interval_s == 0.5


def test_boxes_are_cut_off_at_the_picture() -> None:
    assert clipped(np.array([(-5.0, 3, 20, 40)]), 10, 30).tolist() == [[0, 3, 10, 30]]
