from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from anonflow.evaluate.motion import ASPECTS, FACE, HEIGHT, PLATE, WIDTH, between, crossing, even_times, pacing

SEEDS = range(20)


def rng(seed: int) -> Any:
    return np.random.default_rng(seed)


def test_frames_follow_each_other_evenly_up_to_the_end() -> None:
    times_s, end_s = even_times(5, 2)
    assert times_s.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8]) and end_s == 2


def test_a_time_belongs_to_the_frames_that_begin_in_it() -> None:
    times_s = np.array([0.0, 0.1, 0.5, 0.6])
    assert between(times_s, 0.1, 0.6).tolist() == [1, 2] and between(times_s, 2, 3).tolist() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_who_paces_stays_in_the_picture_and_does_not_jump(seed: int) -> None:
    times_s, _ = even_times()
    life = pacing(rng(seed), times_s, 100)
    assert life.frames.tolist() == list(range(450)) and life.label == FACE
    assert life.xyxy.min() >= 0 and (life.xyxy[:, 2:] <= (WIDTH, HEIGHT)).all()
    assert 0 < np.abs(np.diff(life.xyxy, axis=0)).max() < 10


def test_pacing_in_some_frames_with_some_label() -> None:
    times_s, _ = even_times()
    life = pacing(rng(0), times_s, 20, np.arange(10, 30), PLATE, swing_px=0)
    assert life.frames.tolist() == list(range(10, 30)) and life.label == PLATE
    assert np.ptp(life.xyxy, axis=0) == pytest.approx(0)
    assert life.xyxy[0, 2] - life.xyxy[0, 0] == pytest.approx(20 * ASPECTS[PLATE])


@pytest.mark.parametrize("seed", SEEDS)
def test_who_crosses_goes_from_one_side_to_the_other_at_one_speed(seed: int) -> None:
    times_s, _ = even_times(length_s=30.0)
    life = crossing(rng(seed), times_s, (200, 300))
    x = (life.xyxy[:, 0] + life.xyxy[:, 2]) / 2
    speeds = np.abs(np.diff(x)) * 30
    assert speeds == pytest.approx(speeds[0]) and 200 <= speeds[0] <= 300
    assert sorted((x[0] > WIDTH / 2, x[-1] > WIDTH / 2)) == [False, True]
    assert life.xyxy[0, 2] < 60 or life.xyxy[0, 0] > WIDTH - 60
