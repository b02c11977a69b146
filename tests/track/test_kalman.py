from __future__ import annotations

import numpy as np
import pytest

from anonflow.track import kalman
from anonflow.track.kalman import Reals

RNG = np.random.default_rng(0)


def follow(boxes: Reals) -> Reals:
    """Motion after an object was found in each of `boxes` (n, 4), one a frame."""
    boxes = kalman.on_grid(boxes)
    motion = kalman.start(boxes[:1])
    for box in boxes[1:]:
        motion = kalman.update(kalman.predict(motion), box[None])
    return motion


def walk(n_frames: int) -> Reals:
    """A box of constant size that wanders and jitters."""
    centre = np.cumsum(np.cumsum(RNG.normal(0, 0.1, (n_frames, 2)), axis=0), axis=0)
    return np.concatenate((centre + 100, centre + 140), axis=1) + RNG.normal(0, 0.5, (n_frames, 4))


def textbook(boxes: Reals, height: float) -> Reals:
    """Mean of an 8-dimensional Kalman filter with matrices and with the noise of ByteTrack's paper."""
    position, velocity = height / 20, height / 160
    transition = np.eye(8) + np.eye(8, k=4)
    noise = np.diag([position**2] * 4 + [velocity**2] * 4)
    observe, measured = np.eye(4, 8), np.eye(4) * position**2
    mean = np.concatenate((boxes[0], np.zeros(4)))
    covariance = np.diag([(2 * position) ** 2] * 4 + [(10 * velocity) ** 2] * 4)
    for box in boxes[1:]:
        mean, covariance = transition @ mean, transition @ covariance @ transition.T + noise
        gain = covariance @ observe.T @ np.linalg.inv(observe @ covariance @ observe.T + measured)
        mean, covariance = mean + gain @ (box - observe @ mean), covariance - gain @ observe @ covariance
    return mean


@pytest.mark.parametrize("height", [20.0, 300.0])
def test_three_numbers_stand_for_the_whole_covariance(height: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kalman, "GRID_PX", 2.0**-40)
    monkeypatch.setattr(kalman, "COVARIANCE_GRID", 2.0**-40)
    boxes = walk(60)
    np.testing.assert_allclose(follow(boxes)[0, :8], textbook(boxes, height), rtol=1e-9, atol=1e-7)


def test_the_grid_moves_predictions_by_less_than_detectors_jitter() -> None:
    boxes = walk(200)
    assert np.abs(follow(boxes)[0, :8] - textbook(boxes, 40.0)).max() < 0.1


def test_filters_that_see_the_same_become_equal_to_the_bit() -> None:
    boxes = walk(400)
    for late in range(10, 200, 10):
        assert np.array_equal(follow(boxes), follow(boxes[late:]))


def test_filters_become_equal_after_an_object_came_to_rest() -> None:
    resting = np.tile([100.3, 50.7, 140.1, 90.9], (150, 1))
    moving = resting[:20] + np.linspace(60, 0, 20)[:, None]
    assert np.array_equal(follow(np.concatenate((moving, resting))), follow(resting))


def test_filters_become_equal_after_a_gap() -> None:
    boxes = walk(300)
    motion = follow(boxes[:60])
    for _ in range(20):
        motion = kalman.predict(kalman.coast(motion))
    for box in kalman.on_grid(boxes[60:]):
        motion = kalman.update(kalman.predict(motion), box[None])
    assert np.array_equal(motion, follow(boxes[80:]))


def test_rows_do_not_see_each_other() -> None:
    boxes, found = RNG.uniform(0, 1000, (9, 4)), RNG.uniform(0, 1000, (9, 4))
    together = kalman.update(kalman.predict(kalman.start(boxes)), found)
    for i in range(9):
        alone = kalman.update(kalman.predict(kalman.start(boxes[i : i + 1])), found[i : i + 1])
        assert np.array_equal(together[i : i + 1], alone)


def test_an_object_out_of_sight_keeps_its_size_and_its_course() -> None:
    motion = np.array([[0.0, 0, 40, 80, 1, 2, 3, -2, 4, 0, 1]])
    later = kalman.predict(kalman.coast(motion))
    np.testing.assert_array_equal(later[0, :4], [2, 0, 42, 80])
    np.testing.assert_array_equal(kalman.coast(kalman.coast(motion)), kalman.coast(motion))


def test_values_lie_on_the_grid() -> None:
    motion = follow(walk(30))
    for values, grid in ((motion[:, :8], kalman.GRID_PX), (motion[:, 8:], kalman.COVARIANCE_GRID)):
        np.testing.assert_array_equal(values / grid, np.rint(values / grid))


def test_a_long_step_predicts_as_far_as_many_short_ones() -> None:
    motion = follow(walk(30))
    many = motion
    for _ in range(4):
        many = kalman.predict(many)
    once = kalman.predict(motion, step=4.0)
    np.testing.assert_allclose(once[:, :8], many[:, :8])
    assert (once[:, 8] > motion[:, 8]).all()
