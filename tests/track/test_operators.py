from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.track.association import UNTRACKED
from anonflow.track.operators import DropTracks, ExtendEnds, FillGaps, Operator, Smooth, TrackFacts, View
from anonflow.track.timeline import Timeline
from anonflow.track.tracker import one_pass
from anonflow.types import Origin, Tracks
from tests.streams import INTERVAL_S, PICTURE, Scene, even, make_params, scenes, seen, timelines


def tracks_of(points: list[tuple[int, int, float]], label: int = 0) -> Tracks:
    """Points of 10 x 10 px from frame, track id and left side."""
    frames, ids, left = (np.array(column) for column in zip(*points, strict=True))
    xyxy = np.stack((left, 0 * left, left + 10, 0 * left + 10), axis=1).astype(np.float32)
    n = len(points)
    scores, labels = np.linspace(0.5, 0.9, n, dtype=np.float32), np.full(n, label, np.int16)
    return Tracks(frames.astype(np.int64), ids.astype(np.int64), xyxy, scores, labels, np.zeros(n, np.uint8))


def view_of(tracks: Tracks, timeline: Timeline) -> View:
    return View(timeline, *PICTURE, TrackFacts.of(tracks, timeline))


def applied(operator: Operator, tracks: Tracks, timeline: Timeline | None = None) -> Tracks:
    timeline = timeline or even(100)
    return operator.apply(tracks, view_of(tracks, timeline))


def frames_of(tracks: Tracks, origin: Origin) -> list[int]:
    return tracks.frames[tracks.origins == origin].tolist()


def cut_at(frame: int, n_frames: int = 100) -> Timeline:
    return replace(even(n_frames), cuts=np.arange(n_frames) == frame)


def test_gaps_are_filled_on_a_straight_line() -> None:
    filled = applied(FillGaps(3 * INTERVAL_S), tracks_of([(2, 0, 100.0), (6, 0, 140.0)]))
    assert frames_of(filled, Origin.INTERPOLATED) == [3, 4, 5]
    np.testing.assert_allclose(filled.xyxy[:, 0], [100, 110, 120, 130, 140])
    np.testing.assert_allclose(filled.xyxy[:, 2], filled.xyxy[:, 0] + 10)
    assert filled.scores[1] == np.float32(0.5)


def test_the_line_is_straight_in_time() -> None:
    timeline = replace(even(9), times_s=np.array([0, 1, 2, 3, 7, 8, 9, 10, 11.0]))
    filled = applied(FillGaps(10.0), tracks_of([(2, 0, 100.0), (5, 0, 160.0)]), timeline)
    np.testing.assert_allclose(filled.xyxy[:, 0], [100, 110, 150, 160])


def test_longer_gaps_stay_open() -> None:
    assert len(applied(FillGaps(2 * INTERVAL_S), tracks_of([(2, 0, 100.0), (6, 0, 140.0)]))) == 2


def test_gaps_lie_between_points_of_one_track_in_one_shot() -> None:
    two = tracks_of([(0, 0, 0.0), (0, 1, 500.0), (3, 1, 500.0), (4, 0, 0.0)])
    filled = applied(FillGaps(1.0), two)
    assert filled.frames[(filled.origins == Origin.INTERPOLATED) & (filled.track_ids == 0)].tolist() == [1, 2, 3]
    assert set(filled.xyxy[filled.track_ids == 1, 0]) == {500.0}
    assert len(applied(FillGaps(1.0), tracks_of([(0, UNTRACKED, 0.0), (3, UNTRACKED, 500.0)]))) == 2
    assert len(applied(FillGaps(1.0), tracks_of([(2, 0, 0.0), (6, 0, 0.0)]), cut_at(4))) == 2


def test_ends_are_held_within_the_video() -> None:
    held = applied(ExtendEnds(1.0, 1.0), tracks_of([(2, 0, 100.0), (3, 0, 110.0)]), even(6))
    assert frames_of(held, Origin.EXTENDED) == [0, 1, 4, 5]
    np.testing.assert_allclose(held.xyxy[:, 0], [100, 100, 100, 110, 110, 110])


def test_extension_is_rounded_up_to_frames() -> None:
    held = applied(ExtendEnds(1.5 * INTERVAL_S, 3 * INTERVAL_S), tracks_of([(20, 0, 100.0)]))
    assert frames_of(held, Origin.EXTENDED) == [18, 19, 21, 22, 23]


@pytest.mark.parametrize("interval_s", [1 / 120, 1 / 30, 1 / 5, 2.0])
def test_extension_lasts_at_any_frame_rate_and_is_one_frame_at_least(interval_s: float) -> None:
    held = applied(ExtendEnds(0.34, 0.34), tracks_of([(200, 0, 0.0)]), Timeline.even(400, interval_s))
    n_frames = max(1, int(np.ceil(0.34 / interval_s)))
    assert len(held) == 2 * n_frames + 1


def test_each_side_can_be_off() -> None:
    assert frames_of(applied(ExtendEnds(0.0, 0.04), tracks_of([(5, 0, 0.0)])), Origin.EXTENDED) == [6]
    assert frames_of(applied(ExtendEnds(0.04, 0.0), tracks_of([(5, 0, 0.0)])), Origin.EXTENDED) == [4]


def test_an_object_that_moved_goes_on_moving() -> None:
    """Held and moved: both are hidden, since nobody knows which is true."""
    points = tracks_of([(f, 0, 100.0 + 10 * f) for f in range(10, 20)])
    extended = applied(ExtendEnds(2 * INTERVAL_S, 2 * INTERVAL_S, motion_s=0.2), points)
    for frame, lefts in {8: [180, 200], 9: [190, 200], 20: [290, 300], 21: [290, 310]}.items():
        np.testing.assert_allclose(np.sort(extended.xyxy[extended.frames == frame, 0]), lefts, rtol=1e-6)


def test_what_stood_still_is_only_held() -> None:
    points = tracks_of([(f, 0, 100.0) for f in range(10, 20)])
    assert applied(ExtendEnds(0.1, 0.1, 0.2), points).equals(applied(ExtendEnds(0.1, 0.1), points))


def test_only_the_last_moments_of_a_run_count_as_its_motion() -> None:
    points = tracks_of([(f, 0, 0.0) for f in range(10)] + [(f, 0, 10.0 * (f - 9)) for f in range(10, 20)])
    extended = applied(ExtendEnds(0.0, INTERVAL_S, 0.2), points)
    np.testing.assert_allclose(np.sort(extended.xyxy[extended.frames == 20, 0]), [100, 110], rtol=1e-6)


def test_extension_stays_in_its_shot() -> None:
    held = applied(ExtendEnds(1.0, 1.0), tracks_of([(2, 0, 0.0), (6, 1, 50.0)]), cut_at(4, 8))
    assert frames_of(held[held.track_ids == 0], Origin.EXTENDED) == [0, 1, 3]
    assert frames_of(held[held.track_ids == 1], Origin.EXTENDED) == [4, 5, 7]


def test_an_open_gap_is_narrowed_from_both_sides_but_not_crossed() -> None:
    ends = tracks_of([(0, 0, 0.0), (9, 0, 90.0)])
    assert frames_of(applied(ExtendEnds(2 * INTERVAL_S, 3 * INTERVAL_S), ends, even(10)), Origin.EXTENDED) == [
        1, 2, 3, 7, 8,
    ]  # fmt: skip
    narrow = applied(ExtendEnds(1.0, 1.0), tracks_of([(0, 0, 0.0), (3, 0, 90.0)]), even(4))
    assert frames_of(narrow, Origin.EXTENDED) == [1, 1, 2, 2]


def test_smoothing_steadies_what_trembles_and_never_shrinks_a_mask() -> None:
    rng = np.random.default_rng(0)
    trembling = tracks_of([(f, 0, 100 + rng.normal(0, 5)) for f in range(60)])
    smooth = applied(Smooth(0.2), trembling)
    assert (smooth.xyxy[:, :2] <= trembling.xyxy[:, :2]).all() and (
        smooth.xyxy[:, 2:] >= trembling.xyxy[:, 2:]
    ).all()
    assert np.abs(np.diff(smooth.xyxy[:, 0])).mean() < np.abs(np.diff(trembling.xyxy[:, 0])).mean()


def test_smoothing_is_the_gaussian_it_says() -> None:
    step = tracks_of([(f, 0, 0.0 if f < 50 else 100.0) for f in range(100)])
    left = applied(Smooth(0.08), step).xyxy[:, 0]
    offsets = np.arange(-6, 7) * INTERVAL_S
    weights = np.exp(-0.5 * (offsets / 0.08) ** 2)
    expected = (
        100 * weights[offsets > 0.001].sum() / weights.sum()
    )  # half of the window after frame 50 lies before it
    assert left[50] == pytest.approx(100 - expected, rel=1e-5)
    assert (left[:50] == 0).all() and (left[57:] == 100).all()


@pytest.mark.parametrize("timeline", [cut_at(5, 10), even(10)])
def test_smoothing_does_not_smear_over_cuts_or_gaps(timeline: Timeline) -> None:
    points = [(f, 0, 0.0) for f in range(5)] + [(f, 0, 500.0) for f in range(5 if timeline.cuts.any() else 7, 10)]
    assert applied(Smooth(0.2), tracks_of(points), timeline).equals(tracks_of(points))


def test_tracks_both_short_and_weak_are_dropped() -> None:
    short_weak, short_strong = tracks_of([(0, 0, 0.0)]), tracks_of([(0, 1, 50.0), (1, 1, 50.0)])
    long_weak = tracks_of([(f, 2, 90.0) for f in range(10)])
    weak = [replace(t, scores=np.full(len(t), 0.5, np.float32)) for t in (short_weak, long_weak)]
    kept = applied(DropTracks(0.2, 0.8), Tracks.concat([weak[0], short_strong, weak[1]]))
    assert set(kept.track_ids.tolist()) == {1, 2}


def test_facts_are_of_whole_tracks() -> None:
    facts = TrackFacts.of(tracks_of([(5, 3, 0.0), (9, 3, 0.0), (99, 8, 0.0)]), even(100))
    np.testing.assert_allclose(facts.durations(np.array([3, 8, UNTRACKED])), [5 * INTERVAL_S, INTERVAL_S, 0])
    np.testing.assert_allclose(facts.best_scores(np.array([8, UNTRACKED])), [0.9, 0])


@given(st.data(), scenes(max_frames=80))
@settings(max_examples=60, deadline=None)
def test_operators_take_nothing_away(data: st.DataObject, scene: Scene) -> None:
    timeline = data.draw(timelines(scene.n_frames))
    tracks = one_pass(seen(scene.detections()), timeline, make_params())
    hidden = tracks
    for operator in (FillGaps(0.3), ExtendEnds(0.1, 0.2, 0.1), Smooth(0.1)):
        hidden = operator.apply(hidden, view_of(tracks, timeline))
    old = hidden[np.isin(hidden.origins, (Origin.DETECTED, Origin.LOW))]
    assert replace(old, xyxy=tracks.xyxy).equals(tracks), "the same points in the same order"
    assert (old.xyxy[:, :2] <= tracks.xyxy[:, :2]).all() and (old.xyxy[:, 2:] >= tracks.xyxy[:, 2:]).all()
    assert not len(hidden) or (hidden.frames.min() >= 0 and hidden.frames.max() < scene.n_frames)
    spans = {(i, s) for i, s in zip(tracks.track_ids.tolist(), timeline.shots[tracks.frames].tolist(), strict=True)}
    assert {
        (i, s) for i, s in zip(hidden.track_ids.tolist(), timeline.shots[hidden.frames].tolist(), strict=True)
    } == spans, "nothing crosses a cut"
