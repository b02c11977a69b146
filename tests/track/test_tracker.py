from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.track.params import TrackerParams
from anonflow.track.state import Renaming, TrackerState
from anonflow.track.tracker import UNTRACKED, is_high, one_pass, run, step
from anonflow.types import Detections, Origin, Tracks
from tests.streams import FLOOR, THRESHOLD, Scene, all_params, detections, make_params, scenes, still_object


def track(rows: list[tuple[float, ...]], params: TrackerParams | None = None) -> Tracks:
    stream = detections(rows)
    return one_pass(stream, int(stream.frames[-1]) + 1, params or make_params())


def n_tracks(tracks: Tracks) -> int:
    return len(set(tracks.track_ids.tolist()))


def test_an_object_has_one_id_from_its_first_frame_on() -> None:
    tracks = track(still_object(dict.fromkeys(range(3, 30), 0.9)))
    np.testing.assert_array_equal(tracks.frames, np.arange(3, 30))
    assert set(tracks.track_ids) == {0}
    assert set(tracks.origins) == {Origin.DETECTED}


def test_points_carry_the_detections_unchanged() -> None:
    stream = detections(still_object({f: 0.6 + 0.01 * f for f in range(20)}))
    tracks = one_pass(stream, 20, make_params())
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
    params = replace(make_params(), thresholds=np.array([0.5, 0.9, 0.5], np.float32))
    rows = still_object({0: 0.7}, label=0) + still_object({0: 0.7}, x=300, label=1)
    assert track(rows, params).labels.tolist() == [0]


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
    assert len(one_pass(Detections.empty(), 0, make_params())) == 0
    assert len(one_pass(Detections.empty(), 50, make_params())) == 0


@given(scenes(max_frames=80), all_params())
@settings(max_examples=40, deadline=None)
def test_what_every_result_promises(scene: Scene, params: TrackerParams) -> None:
    stream = scene.detections()
    tracks = one_pass(stream, scene.n_frames, params)
    names = list(zip(tracks.frames.tolist(), tracks.track_ids.tolist(), strict=True))
    assert names == sorted(set(names)), "sorted, and a track has one point a frame"
    n_high = int(is_high(stream, params).sum())
    assert (tracks.origins == Origin.DETECTED).sum() == n_high, "no strong detection is without a track"
    labels = set(zip(tracks.track_ids.tolist(), tracks.labels.tolist(), strict=True))
    assert len(labels) == n_tracks(tracks), "a track has one label"
    first = tracks.origins[np.unique(tracks.track_ids, return_index=True)[1]]
    assert (first == Origin.DETECTED).all(), "a track starts with a strong detection"


@given(scenes(max_frames=80), all_params(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_ids_are_names_only(scene: Scene, params: TrackerParams, random: Random) -> None:
    stream, middle = scene.detections(), scene.n_frames // 2
    state, _ = run(TrackerState.empty(), stream, 0, middle, params)
    names = np.array(random.sample(range(1000), len(state)), np.int64)
    renamed = replace(state, track_ids=names, next_id=2000)
    expected_end, expected = run(state, stream, middle, scene.n_frames, params)
    end, tracks = run(renamed, stream, middle, scene.n_frames, params)
    renaming = Renaming(guess=state, true=renamed)
    assert end.equals(renaming.state(expected_end))
    again = replace(expected, track_ids=renaming.ids(expected.track_ids))
    assert tracks.equals(again[np.lexsort((again.track_ids, again.frames))])


def test_a_step_leaves_its_state_alone() -> None:
    stream = Scene(seed=1, n_frames=40, n_objects=8, n_labels=2, clutter=0.5, snap_px=1e-3).detections()
    state, _ = run(TrackerState.empty(), stream, 0, 30, make_params())
    copy = replace(state, means=state.means.copy(), hits=state.hits.copy(), track_ids=state.track_ids.copy())
    step(state, stream.between(30, 31), make_params())
    assert state.equals(copy)


def test_detections_without_a_track_are_told() -> None:
    stream = detections([(0, 0, 0, 40, 40, 0.9, 0), (0, 200, 0, 240, 40, 0.3, 0)])
    _, track_ids = step(TrackerState.empty(), stream, make_params())
    assert track_ids.tolist() == [0, UNTRACKED]
