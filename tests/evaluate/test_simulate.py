from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anonflow.evaluate import simulate
from anonflow.evaluate.simulate import FLOOR, LOW, Life, detections_of, live, stand_in_front, truth_of

N = 600
TIMES_S = np.arange(N) / 30
END_S = N / 30
SIZE = (1280, 720)


def still(height: float = 80, x: float = 640, frames: Any = None) -> Life:
    frames = np.arange(N) if frames is None else frames
    return live(frames, np.tile((x, 360.0), (len(frames), 1)), np.full(len(frames), height), 1.0, 0)


def seen(*lives: Life, seed: int = 0) -> tuple[Any, Any]:
    """The truth, and what the detector finds, without the boxes where nothing is."""
    truth = truth_of(lives, TIMES_S, END_S, *SIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate, "FALSE_PER_FRAME", 0)
        patch.setattr(simulate, "FALSE_LOW_PER_FRAME", 0)
        patch.setattr(simulate, "SPOT_FOUND", 0)
        return truth, detections_of(np.random.default_rng(seed), lives, truth, 1)


def test_a_life_by_its_middle_and_height() -> None:
    life = live(np.array([3]), np.array([(100.0, 50.0)]), np.array([20.0]), 2.0, 1)
    assert life.xyxy.tolist() == [[80, 40, 120, 60]]
    assert (life.label, life.caps.tolist(), life.unhidden.tolist()) == (1, [1], [1])


def test_caps_and_hiding_are_for_some_frames_and_only_fall() -> None:
    life = still(frames=np.arange(4)).capped(np.array([1, 2]), 0.3, 0.5).capped(np.array([2, 3]), 0.6, 0.2)
    assert life.caps.tolist() == [1, 0.3, 0.3, 0.6]
    assert life.unhidden.tolist() == [1, 0.5, 0.2, 0.2]


def test_the_truth_is_clipped_and_says_what_is_to_be_seen() -> None:
    truth, _ = seen(still(x=0), still(x=-41), still(x=300).capped(np.arange(N), 1, 0.25))
    first = truth.frames == 0
    assert truth.xyxy[first].tolist() == [[0, 320, 40, 400], [260, 320, 340, 400]], "one is beside the picture"
    assert truth.visible[first].tolist() == [0.5, 0.25]
    assert truth.object_ids[first].tolist() == [0, 2]


def test_who_stands_behind_is_hidden() -> None:
    near, far, apart = stand_in_front([still(x=100), still(x=140), still(x=600)])
    assert near.unhidden.tolist() == [1] * N
    assert far.unhidden == pytest.approx(0.5) and apart.unhidden == pytest.approx(1)


def test_a_large_object_is_found_nearly_always_and_a_small_one_less() -> None:
    found = [len(seen(still(height))[1]) / N for height in (12, 20, 100)]
    assert found == sorted(found) and found[0] < 0.75 and found[2] > 0.95
    scores = [seen(still(height))[1].scores.mean() for height in (12, 20, 100)]
    assert scores == sorted(scores) and scores[2] > 0.8


def test_misses_last() -> None:
    """Far more often than by chance, the frame after a miss is one as well."""
    missed = ~np.isin(np.arange(N), seen(still(30))[1].frames)
    assert missed[1:][missed[:-1]].mean() > 3 * missed.mean() > 0


def test_boxes_jitter_by_a_share_of_the_size() -> None:
    for height in (40.0, 300.0):
        life = still(height)
        _, found = seen(life)
        error = (found.xyxy - life.xyxy[found.frames]) / height
        assert simulate.JITTER[0] * 0.6 < error.std() < simulate.JITTER[1] and abs(error.mean()) < 0.02
        assert np.abs(error).max() <= 2 * simulate.JITTER[1] + 1e-3


def test_caps_hold() -> None:
    life = still().capped(np.arange(100), 0.0).capped(np.arange(100, 200), 0.15)
    found = seen(life)[1]
    assert found.frames.min() >= 100
    weak = found.frames < 200
    assert weak.sum() > 80 and (found.scores[weak] <= np.float32(0.15)).all() and found.scores[~weak].mean() > 0.8


def test_what_is_hidden_or_outside_is_not_found() -> None:
    assert len(seen(still().capped(np.arange(N), 1, 0.1))[1]) < N / 20
    assert len(seen(still(x=-30))[1]) < N / 20 < len(seen(still(x=20))[1])


def test_detections_are_sorted_reported_from_the_floor_and_within_the_picture() -> None:
    truth = truth_of([still(), still(x=1270)], TIMES_S, END_S, *SIZE)
    found = detections_of(np.random.default_rng(0), [still(), still(x=1270)], truth, 2)
    assert (np.diff(found.frames) >= 0).all() and found.scores.min() >= FLOOR
    assert (found.xyxy[:, 2:] > found.xyxy[:, :2]).all() and found.xyxy.min() >= 0
    assert (found.xyxy[:, 2:] <= SIZE).all()
    assert set(found.labels.tolist()) == {0, 1}
    assert (found.frames.dtype, found.xyxy.dtype, found.scores.dtype, found.labels.dtype) == (
        np.int64,
        np.float32,
        np.float32,
        np.int16,
    )


def test_false_boxes_stand_alone_or_stay_in_one_place_for_a_while() -> None:
    truth = truth_of([still(frames=np.arange(1))], TIMES_S, END_S, *SIZE)
    found = detections_of(np.random.default_rng(0), [], truth, 1)
    low = found.scores < LOW
    assert low.sum() > 50 and (~low).sum() > 5
    _, counts = np.unique(found.xyxy, axis=0, return_counts=True)
    assert (counts == 1).sum() > 50 and (counts >= 5).any()
