from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.track.association import UNTRACKED
from anonflow.track.params import AppearanceParams, TrackerParams
from anonflow.track.state import Renaming, TrackerState
from anonflow.track.timeline import Timeline
from anonflow.track.tracker import one_pass, run, step
from anonflow.types import Observations, Origin, Tracks
from tests.streams import (
    FLOOR,
    THRESHOLD,
    TRACKERS,
    Scene,
    all_params,
    detections,
    even,
    looks_of,
    make_grading,
    make_params,
    scenes,
    seen,
    still_object,
    timelines,
)


def track(rows: list[tuple[float, ...]], params: TrackerParams | None = None) -> Tracks:
    stream = detections(rows)
    return one_pass(seen(stream), even(int(stream.frames[-1]) + 1), params or make_params(), looks_of(stream))


def n_tracks(tracks: Tracks) -> int:
    return len(set(tracks.track_ids.tolist()))


def test_an_object_has_one_id_from_its_first_frame_on() -> None:
    tracks = track(still_object(dict.fromkeys(range(3, 30), 0.9)))
    np.testing.assert_array_equal(tracks.frames, np.arange(3, 30))
    assert set(tracks.track_ids) == {0}
    assert set(tracks.origins) == {Origin.DETECTED}


def test_points_carry_the_detections_unchanged() -> None:
    stream = detections(still_object({f: 0.6 + 0.01 * f for f in range(20)}))
    tracks = one_pass(seen(stream), even(20), make_params())
    assert np.array_equal(tracks.xyxy, stream.xyxy)
    assert np.array_equal(tracks.scores, stream.scores)


def test_a_weak_detection_carries_a_track_on_but_starts_none() -> None:
    weak = dict.fromkeys(range(20), 0.3)
    assert len(track(still_object(weak))) == 0
    carried = track(still_object({0: 0.9, 1: 0.9} | dict.fromkeys(range(2, 20), 0.3)))
    assert set(carried.track_ids) == {0}
    assert carried.origins.tolist() == [Origin.DETECTED] * 2 + [Origin.LOW] * 18


def test_thresholds_count_as_reached_and_what_is_below_the_floor_is_forgotten() -> None:
    assert len(track(still_object({0: THRESHOLD}))) == 1
    assert len(track(still_object({0: np.nextafter(np.float32(THRESHOLD), 0)}))) == 0
    assert len(track(still_object({0: 0.9, 1: FLOOR}))) == 2
    assert len(track(still_object({0: 0.9, 1: np.nextafter(np.float32(FLOOR), 0)}))) == 1


def test_each_label_has_its_own_threshold() -> None:
    rows = detections(still_object({0: 0.7}, label=0) + still_object({0: 0.7}, x=300, label=1))
    strict = seen(rows, make_grading(start=[0.5, 0.9, 0.5]))
    assert one_pass(strict, even(1), make_params()).labels.tolist() == [0]


def test_labels_never_meet() -> None:
    both = track(
        still_object(dict.fromkeys(range(9), 0.9), label=0) + still_object(dict.fromkeys(range(9), 0.9), label=1)
    )
    assert n_tracks(both) == 2
    changed = track(
        still_object(dict.fromkeys(range(5), 0.9), label=0) + still_object(dict.fromkeys(range(5, 9), 0.9), label=1)
    )
    assert n_tracks(changed) == 2


def test_an_unconfirmed_track_ends_with_its_first_miss() -> None:
    assert n_tracks(track(still_object({0: 0.9, 2: 0.9}), make_params(min_hits=2))) == 2
    assert n_tracks(track(still_object({0: 0.9, 2: 0.9}), make_params(min_hits=1))) == 1


def test_a_confirmed_track_lives_for_exactly_the_buffer() -> None:
    params = make_params(buffer_frames=6)
    seen = dict.fromkeys(range(10), 0.9)
    assert n_tracks(track(still_object(seen | {16: 0.9}), params)) == 1
    assert n_tracks(track(still_object(seen | {17: 0.9}), params)) == 2


def test_a_lost_track_can_come_back_with_a_weak_detection() -> None:
    tracks = track(still_object(dict.fromkeys(range(10), 0.9) | {13: 0.3}))
    assert tracks.frames[-1] == 13
    assert n_tracks(tracks) == 1


def test_objects_that_cross_keep_their_ids() -> None:
    crossing = [(f, 5 * f, 50, 5 * f + 40, 90, 0.9, 0) for f in range(60)]
    crossing += [(f, 300 - 5 * f, 66, 340 - 5 * f, 106, 0.9, 0) for f in range(60)]
    tracks = track(crossing)
    assert n_tracks(tracks) == 2
    for track_id in range(2):
        assert len(set(np.sign(np.diff(tracks.xyxy[tracks.track_ids == track_id, 0])))) == 1


def test_strong_detections_choose_first() -> None:
    rows = [*still_object(dict.fromkeys(range(5), 0.9)), (5, 101.5, 50, 141.5, 90, 0.4, 0)]
    rows.append((5, 108, 50, 148, 90, 0.8, 0))
    tracks = track(rows)
    assert tracks.xyxy[-1, 0] == 108
    assert n_tracks(tracks) == 1


def test_an_empty_video_has_no_tracks() -> None:
    assert len(one_pass(Observations.empty(), even(0), make_params())) == 0
    assert len(one_pass(Observations.empty(), even(50), make_params())) == 0


@given(st.data(), scenes(max_frames=80), all_params())
@settings(max_examples=40, deadline=None)
def test_what_every_result_promises(data: st.DataObject, scene: Scene, params: TrackerParams) -> None:
    stream, timeline = seen(scene.detections()), data.draw(timelines(scene.n_frames))
    tracks = one_pass(stream, timeline, params, looks_of(scene.detections()))
    names = list(zip(tracks.frames.tolist(), tracks.track_ids.tolist(), strict=True))
    assert names == sorted(set(names)), "sorted, and a track has one point a frame"
    assert (tracks.origins == Origin.DETECTED).sum() == stream.high.sum(), "no strong detection is without a track"
    labels = set(zip(tracks.track_ids.tolist(), tracks.labels.tolist(), strict=True))
    assert len(labels) == n_tracks(tracks), "a track has one label"
    first = tracks.origins[np.unique(tracks.track_ids, return_index=True)[1]]
    assert (first == Origin.DETECTED).all(), "a track starts with a strong detection"
    shots = set(zip(tracks.track_ids.tolist(), timeline.shots[tracks.frames].tolist(), strict=True))
    assert len(shots) == n_tracks(tracks), "a track ends with its shot"


@given(st.data(), scenes(max_frames=80), all_params(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_ids_are_names_only(data: st.DataObject, scene: Scene, params: TrackerParams, random: Random) -> None:
    stream, middle, timeline = seen(scene.detections()), scene.n_frames // 2, data.draw(timelines(scene.n_frames))
    looks = looks_of(scene.detections())
    state, _ = run(TrackerState.empty(params.gallery), stream, 0, middle, timeline, params, looks)
    names = np.array(random.sample(range(1000), len(state)), np.int64)
    renamed = state.renamed(names, 2000)
    expected_end, expected = run(state, stream, middle, scene.n_frames, timeline, params, looks)
    end, tracks = run(renamed, stream, middle, scene.n_frames, timeline, params, looks)
    renaming = Renaming(guess=state, true=renamed)
    assert end.equals(renaming.state(expected_end))
    again = replace(expected, track_ids=renaming.ids(expected.track_ids))
    assert tracks.equals(again[np.lexsort((again.track_ids, again.frames))])


@pytest.mark.parametrize("name", TRACKERS)
def test_a_step_leaves_its_state_alone(name: str) -> None:
    found, params = Scene(1, 40, n_objects=8, n_labels=2, clutter=0.5, snap_px=1e-3).detections(), TRACKERS[name]
    stream, looks = seen(found), looks_of(found)
    state, _ = run(TrackerState.empty(params.gallery), stream, 0, 30, even(40), params, looks)
    copy = TrackerState(state.counts.copy(), state.motion.copy(), state.next_id)
    step(state, stream.between(30, 31), 30, even(40), params, looks)
    assert state.equals(copy)


@pytest.mark.parametrize("name", TRACKERS)
def test_the_same_stream_gives_the_same_tracks(name: str) -> None:
    found = Scene(5, 120, n_objects=9, n_labels=2, clutter=0.5, snap_px=1e-3).detections()
    once, again = (one_pass(seen(found), even(120), TRACKERS[name], looks_of(found)) for _ in range(2))
    assert len(once) and once.equals(again)


def test_detections_without_a_track_are_told() -> None:
    stream = seen(detections([(0, 0, 0, 40, 40, 0.9, 0), (0, 200, 0, 240, 40, 0.3, 0)]))
    _, track_ids = step(TrackerState.empty(), stream, 0, even(1), make_params())
    assert track_ids.tolist() == [0, UNTRACKED]


def test_without_a_second_round_weak_detections_are_not_used() -> None:
    rows = still_object({0: 0.9, 1: 0.9} | dict.fromkeys(range(2, 10), 0.3))
    assert len(track(rows)) == 10
    assert len(track(rows, make_params(low_match_iou=None))) == 2


def test_no_track_lives_over_a_cut() -> None:
    stream = seen(detections(still_object(dict.fromkeys(range(20), 0.9))))
    cuts = np.arange(20) == 10
    tracks = one_pass(stream, replace(even(20), cuts=cuts), make_params())
    assert tracks.track_ids.tolist() == [0] * 10 + [1] * 10


def leaping(px_a_frame: float) -> list[tuple[float, ...]]:
    """An object of 40 px that moves so fast that its boxes do not overlap, until its motion is known."""
    return [(f, 100 + px_a_frame * f, 50, 140 + px_a_frame * f, 90, 0.9, 0) for f in range(10)]


def test_an_object_that_leaps_keeps_its_id_up_to_the_speed_allowed() -> None:
    fast = make_params(max_speed_sides_per_s=30.0)  # of its sides a second: 48 px in a frame of 40 ms
    assert n_tracks(track(leaping(45), fast)) == 1
    assert n_tracks(track(leaping(45))) > 1
    assert n_tracks(track(leaping(55), fast)) > 1


def test_time_counts_and_not_frames() -> None:
    """The same motion in seconds, seen at changing rates: a prediction over a long interval goes further."""
    ticks = np.array([4] * 10 + [12, 4, 4, 20, 4, 4])
    pts = np.cumsum(ticks) - 4
    timeline = Timeline.of(pts, Fraction(1, 100), int(pts[-1]) + 4, np.zeros(16, np.bool_))
    rows = [(f, 100 + 5 * t, 50, 140 + 5 * t, 90, 0.9, 0) for f, t in enumerate(pts.tolist())]
    assert n_tracks(one_pass(seen(detections(rows)), timeline, make_params(high_match_iou=0.3))) == 1
    assert n_tracks(one_pass(seen(detections(rows)), even(16), make_params(high_match_iou=0.3))) > 1


def test_looks_tell_objects_apart_that_cross_while_out_of_sight() -> None:
    """Two objects of different looks swap sides in a gap: motion and overlap would swap their names."""

    def row(frame: int, x: float, side: float) -> tuple[float, ...]:
        return (frame, x - side / 2, 100 - side / 2, x + side / 2, 100 + side / 2, 0.9, 0)

    rows = [row(f, 100, 40) for f in range(20)] + [row(f, 112, 60) for f in range(20)]
    rows += [row(f, 112, 40) for f in range(28, 40)] + [row(f, 100, 60) for f in range(28, 40)]
    by_looks = track(rows, replace(TRACKERS["deepsort"], appearance=AppearanceParams(0.05, 5)))
    for track_id in set(by_looks.track_ids.tolist()):
        points = by_looks[by_looks.track_ids == track_id]
        assert len(set((points.xyxy[:, 2] - points.xyxy[:, 0]).tolist())) == 1, "one size, so one object"
    assert n_tracks(by_looks) == 2
