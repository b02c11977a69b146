from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.track.timeline import Reach, Timeline
from tests.streams import even, timelines


def test_times_come_from_timestamps() -> None:
    cuts = np.array([False, False, True, False])
    timeline = Timeline.of(np.array([100, 104, 112, 116]), Fraction(1, 100), 120, cuts)
    np.testing.assert_allclose(timeline.times_s, [0, 0.04, 0.12, 0.16])
    np.testing.assert_allclose(timeline.steps, [1, 1, 2, 1])
    assert timeline.interval_s == pytest.approx(0.04)
    assert timeline.end_s == pytest.approx(0.2)
    assert timeline.shots.tolist() == [0, 0, 1, 1]


def test_a_constant_rate_has_steps_of_exactly_one() -> None:
    """Whatever the time base, or states of equal tracks would differ in their last bit."""
    pts = np.arange(300) * 1001
    assert (Timeline.of(pts, Fraction(1, 30000), 300300, np.zeros(300, np.bool_)).steps == 1.0).all()


def test_one_frame_is_a_video() -> None:
    timeline = Timeline.of(np.array([7]), Fraction(1, 10), 9, np.zeros(1, np.bool_))
    assert (timeline.n_frames, timeline.end_s, timeline.interval_s) == (1, 0.2, 0.2)


@given(st.data(), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_reversing_twice_changes_nothing(data: st.DataObject, n_frames: int) -> None:
    timeline = data.draw(timelines(n_frames))
    again = timeline.reversed().reversed()
    np.testing.assert_allclose(again.times_s, timeline.times_s, atol=1e-12)
    np.testing.assert_array_equal(again.steps[1:], timeline.steps[1:])
    np.testing.assert_array_equal(again.cuts[1:], timeline.cuts[1:])
    backwards = timeline.reversed()
    assert (np.diff(backwards.times_s) > 0).all()
    for frame in range(1, n_frames):
        assert backwards.cuts[n_frames - frame] == timeline.cuts[frame], "a cut lies between the same two frames"


def test_a_limit_of_whole_frames_is_not_missed_by_rounding() -> None:
    timeline = Timeline.of(np.arange(100) * 1001, Fraction(1, 30000), 100100, np.zeros(100, np.bool_))
    assert timeline.first_reaching(timeline.times_s[10] + 20 * 1001 / 30000) == 30
    assert timeline.last_reaching(timeline.times_s[50] - 20 * 1001 / 30000) == 30
    assert timeline.within(timeline.times_s[50] - timeline.times_s[20], 1.001)


def test_reach_counts_seconds_and_frames_within_the_video() -> None:
    reach = Reach(before_s=0.2, after_s=0.08, before_frames=1)
    assert (reach.first(50, even(100)), reach.last(50, even(100))) == (43, 52)
    assert (reach.first(3, even(100)), reach.last(99, even(100))) == (0, 99)
    assert (Reach().first(5, even(9)), Reach().last(5, even(9))) == (5, 5)


def test_frames_count_where_seconds_reach_nothing() -> None:
    slow = Timeline.even(20, 1.0)
    assert Reach(before_s=0.2, before_frames=1).first(10, slow) <= 9
