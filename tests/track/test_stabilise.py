from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.config import StabiliseConfig
from anonflow.track.stabilise import add_untracked, extend_ends, interpolate_gaps, mask_plan, stabilise
from anonflow.track.tracker import UNTRACKED, one_pass
from anonflow.types import Detections, Origin, Tracks
from tests.streams import Scene, detections, make_params, scenes


def tracks_of(points: list[tuple[int, int, float]], label: int = 0) -> Tracks:
    """Points of 10 x 10 px from frame, track id and left side."""
    frames, ids, left = (np.array(column) for column in zip(*points, strict=True))
    xyxy = np.stack((left, 0 * left, left + 10, 0 * left + 10), axis=1).astype(np.float32)
    n = len(points)
    scores, labels = np.linspace(0.5, 0.9, n, dtype=np.float32), np.full(n, label, np.int16)
    return Tracks(frames.astype(np.int64), ids.astype(np.int64), xyxy, scores, labels, np.zeros(n, np.uint8))


def frames_of(tracks: Tracks, origin: Origin) -> list[int]:
    return tracks.frames[tracks.origins == origin].tolist()


def test_gaps_are_filled_on_a_straight_line() -> None:
    filled = interpolate_gaps(tracks_of([(2, 0, 100.0), (6, 0, 140.0)]), max_gap_frames=3)
    assert frames_of(filled, Origin.INTERPOLATED) == [3, 4, 5]
    np.testing.assert_allclose(filled.xyxy[:, 0], [100, 110, 120, 130, 140])
    np.testing.assert_allclose(filled.xyxy[:, 2], filled.xyxy[:, 0] + 10)
    assert filled.scores[1] == np.float32(0.5)


def test_longer_gaps_stay_open() -> None:
    assert len(interpolate_gaps(tracks_of([(2, 0, 100.0), (6, 0, 140.0)]), max_gap_frames=2)) == 2


def test_gaps_lie_between_points_of_one_track() -> None:
    two = tracks_of([(0, 0, 0.0), (0, 1, 500.0), (3, 1, 500.0), (4, 0, 0.0)])
    filled = interpolate_gaps(two, max_gap_frames=9)
    assert filled.frames[(filled.origins == Origin.INTERPOLATED) & (filled.track_ids == 0)].tolist() == [1, 2, 3]
    assert set(filled.xyxy[filled.track_ids == 1, 0]) == {500.0}
    single = tracks_of([(0, UNTRACKED, 0.0), (3, UNTRACKED, 500.0)])
    assert len(interpolate_gaps(single, max_gap_frames=9)) == 2


def test_ends_are_held_within_the_video() -> None:
    held = extend_ends(tracks_of([(2, 0, 100.0), (3, 0, 110.0)]), 5, 4, n_frames=6)
    assert frames_of(held, Origin.EXTENDED) == [0, 1, 4, 5]
    np.testing.assert_allclose(held.xyxy[:, 0], [100, 100, 100, 110, 110, 110])


def test_extension_counts_frames() -> None:
    held = extend_ends(tracks_of([(20, 0, 100.0)]), 2, 3, n_frames=100)
    assert frames_of(held, Origin.EXTENDED) == [18, 19, 21, 22, 23]


def test_an_open_gap_is_narrowed_from_both_sides_but_not_crossed() -> None:
    wide = extend_ends(tracks_of([(0, 0, 0.0), (9, 0, 90.0)]), 2, 3, n_frames=10)
    assert frames_of(wide, Origin.EXTENDED) == [1, 2, 3, 7, 8]
    narrow = extend_ends(tracks_of([(0, 0, 0.0), (3, 0, 90.0)]), 8, 8, n_frames=4)
    assert frames_of(narrow, Origin.EXTENDED) == [1, 1, 2, 2]


def test_extending_twice_is_possible() -> None:
    once = extend_ends(tracks_of([(0, 0, 0.0), (3, 0, 90.0)]), 2, 2, n_frames=10)
    twice = extend_ends(once, 2, 2, n_frames=10)
    assert set(twice.frames.tolist()) == {0, 1, 2, 3, 4, 5, 6, 7}


def test_detections_that_no_track_took_are_hidden_too() -> None:
    found = detections([(0, 0, 0, 10, 10, 0.9, 0), (0, 50, 0, 60, 10, 0.5, 0), (1, 50, 0, 60, 10, 0.4, 1)])
    point = found[:1]
    tracked = Tracks(point.frames, np.array([7]), point.xyxy, point.scores, point.labels, np.zeros(1, np.uint8))
    added = add_untracked(tracked, found, [0.5, 0.45])
    assert added.track_ids.tolist() == [UNTRACKED, 7]
    assert added.xyxy[0, 0] == 50
    assert len(add_untracked(tracked, found, [0.5, 0.4])) == 3


def test_one_of_two_detections_in_one_place_does_not_hide_the_other() -> None:
    found = detections([(0, 0, 0, 10, 10, 0.9, 0), (0, 0, 0, 10, 10, 0.9, 1), (1, 0, 0, 10, 10, 0.9, 0)])
    added = add_untracked(Tracks.empty(), found, [0.5, 0.5])
    assert len(added) == 3


CONFIG = StabiliseConfig(max_gap_s=0.1, extend_before_s=0.05, extend_after_s=0.08)
THRESHOLDS = [0.5, 0.5, 0.5]


def hide(tracks: Tracks, found: Detections, n_frames: int) -> Tracks:
    return stabilise(tracks, found, CONFIG, frame_interval_s=0.04, n_frames=n_frames, thresholds=THRESHOLDS)


def test_limits_come_from_seconds_rounded_up() -> None:
    hidden = hide(tracks_of([(10, 0, 0.0), (14, 0, 0.0), (19, 0, 0.0)]), Detections.empty(), 100)
    assert frames_of(hidden, Origin.INTERPOLATED) == [11, 12, 13]
    assert frames_of(hidden, Origin.EXTENDED) == [8, 9, 15, 16, 17, 18, 20, 21]


@given(scenes(max_frames=80))
@settings(max_examples=40, deadline=None)
def test_stabilising_takes_nothing_away(scene: Scene) -> None:
    stream = scene.detections()
    tracks = one_pass(stream, scene.n_frames, make_params())
    hidden = hide(tracks, stream, scene.n_frames)
    kept = hidden[np.isin(hidden.origins, (Origin.DETECTED, Origin.LOW))]
    assert kept.equals(tracks)
    assert not len(hidden) or (hidden.frames.min() >= 0 and hidden.frames.max() < scene.n_frames)
    assert (np.diff(hidden.frames) >= 0).all()


@given(scenes(max_frames=80), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_plan_does_not_show_what_tracks_are_called(scene: Scene, seed: int) -> None:
    stream = scene.detections()
    tracks = one_pass(stream, scene.n_frames, make_params())
    names = np.random.default_rng(seed).permutation(int(tracks.track_ids.max(initial=-1)) + 1)
    renamed = replace(tracks, track_ids=names[tracks.track_ids])
    renamed = renamed[np.lexsort((renamed.track_ids, renamed.frames))]
    plans = [mask_plan(hide(t, stream, scene.n_frames), [0.1, 0.2, 0.3], 256, 256) for t in (tracks, renamed)]
    assert plans[0].equals(plans[1])
    assert (plans[0].xyxy >= 0).all()
    assert (plans[0].xyxy <= 256).all()


def test_margins_grow_each_side_by_the_share_of_its_label() -> None:
    points = Tracks.concat([tracks_of([(0, 0, 100.0)]), tracks_of([(0, 1, 100.0)], label=1)])
    points = replace(points, xyxy=points.xyxy + np.array([0, 100, 10, 100], np.float32))
    plan = mask_plan(points, [0.1, 0.5], width=640, height=480)
    np.testing.assert_allclose(plan.xyxy, [[98, 99, 122, 111], [90, 95, 130, 115]])
    assert plan.labels.tolist() == [0, 1]


def test_boxes_are_clipped_and_what_lies_outside_is_dropped() -> None:
    points = tracks_of([(0, 0, -5.0), (0, 1, 635.0), (0, 2, 700.0), (0, 3, -10.0)])
    plan = mask_plan(points, [0.0], width=640, height=480)
    np.testing.assert_array_equal(plan.xyxy, [[0, 0, 5, 10], [635, 0, 640, 10]])


def test_the_plan_is_sorted_and_names_each_box_once() -> None:
    points = tracks_of([(1, 0, 30.0), (1, 1, 10.0), (0, 2, 50.0), (1, 3, 10.0)])
    plan = mask_plan(points, [0.0], width=640, height=480)
    assert plan.frames.tolist() == [0, 1, 1]
    assert plan.xyxy[:, 0].tolist() == [50, 10, 30]


def test_no_tracks_hide_nothing() -> None:
    assert len(mask_plan(hide(Tracks.empty(), Detections.empty(), 10), [0.0], 640, 480)) == 0
