from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.track.operators import ExtendEnds, FillGaps, Operator, Smooth, TrackFacts, View
from anonflow.track.rules import BridgeNeighbours
from anonflow.track.stabilise import mask_plan, stabilise
from anonflow.track.tracker import one_pass
from anonflow.types import Tracks
from tests.streams import PICTURE, Scene, even, make_params, scenes, seen
from tests.track.test_operators import tracks_of

OPERATORS: list[Operator] = [FillGaps(0.1), BridgeNeighbours(0.2), ExtendEnds(0.05, 0.08), Smooth(0.04)]


def hide(tracks: Tracks, start: int, stop: int, n_frames: int = 100) -> Tracks:
    view = View(even(n_frames), *PICTURE, TrackFacts.of(tracks, even(n_frames)))
    return stabilise(tracks, OPERATORS, view, start, stop)


def test_operators_follow_each_other() -> None:
    hidden = hide(tracks_of([(10, 0, 0.0), (12, 0, 0.0), (19, 0, 0.0)]), 0, 100)
    assert sorted(set(hidden.frames.tolist())) == [8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20, 21]


def test_only_the_frames_asked_for_are_given() -> None:
    assert set(hide(tracks_of([(10, 0, 0.0), (12, 0, 0.0)]), 11, 13).frames.tolist()) == {11, 12}
    assert len(hide(tracks_of([(10, 0, 0.0)]), 40, 40)) == 0


@given(scenes(max_frames=80), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_the_plan_does_not_show_what_tracks_are_called(scene: Scene, seed: int) -> None:
    tracks = one_pass(seen(scene.detections()), even(scene.n_frames), make_params())
    names = np.random.default_rng(seed).permutation(int(tracks.track_ids.max(initial=-1)) + 1)
    renamed = replace(tracks, track_ids=names[tracks.track_ids])
    renamed = renamed[np.lexsort((renamed.track_ids, renamed.frames))]
    plans = [
        mask_plan(hide(t, 0, scene.n_frames, scene.n_frames), [0.1, 0.2, 0.3], 256, 256) for t in (tracks, renamed)
    ]
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
    assert len(mask_plan(hide(Tracks.empty(), 0, 100), [0.0], 640, 480)) == 0
