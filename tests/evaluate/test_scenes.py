"""Each scene contains what it promises; otherwise a method could pass it for nothing."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from anonflow.errors import ConfigError
from anonflow.evaluate import scenes
from anonflow.evaluate.areas import covered_shares
from anonflow.evaluate.scenes import SCENES, suite
from anonflow.evaluate.truth import Scene
from anonflow.types import Detections

ALL = {scene.name: scene for scene in suite()}


def rows_of(scene: Scene) -> Any:
    """Each object's rows, in time."""
    return [np.flatnonzero(scene.truth.object_ids == key) for key in np.unique(scene.truth.object_ids)]


def best_scores(scene: Scene) -> Any:
    """For each row of the truth, the best score of a detection that covers half of the box; 0 for none."""
    truth, found = scene.truth, scene.detections
    best = np.zeros(len(truth))
    for low in np.linspace(0.1, 0.9, 17):
        kept = found[found.scores >= np.float32(low)]
        covered = covered_shares(truth.frames, truth.xyxy.astype(float), kept.frames, kept.xyxy.astype(float))
        best[covered > 0.5] = low
    return best


def runs(flags: Any) -> list[int]:
    """Lengths of the runs of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(int), [0]))))
    return (edges[1::2] - edges[::2]).tolist()


def test_there_are_scenes() -> None:
    assert list(ALL) == list(SCENES) and len(ALL) >= 12


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_is_the_same_every_time_and_whatever_else_is_made(name: str) -> None:
    (again,) = suite([name])
    first = ALL[name]
    assert again.detections.equals(first.detections)
    for field in fields(first.truth):
        assert np.array_equal(getattr(again.truth, field.name), getattr(first.truth, field.name))
    assert np.array_equal(again.luma, first.luma) and np.array_equal(again.shots, first.shots)


@pytest.mark.parametrize("scene", ALL.values(), ids=ALL)
def test_a_scene_is_sound(scene: Scene) -> None:
    n = scene.n_frames
    assert 10 <= scene.truth.end_s <= 20.5 and (scene.width, scene.height) == (1280, 720)
    assert scene.shots.shape == scene.luma.shape == (n,)
    assert (scene.shots.dtype, scene.luma.dtype) == (np.int32, np.float32)
    assert scene.shots[0] == 0 and set(np.diff(scene.shots).tolist()) <= {0, 1}
    assert scene.luma.min() >= 0 and scene.luma.max() <= 1
    assert set(scene.truth.labels.tolist()) <= set(range(len(scene.labels)))
    assert isinstance(scene.detections, Detections) and scene.detections.frames.max() < n


@pytest.mark.parametrize("scene", ALL.values(), ids=ALL)
def test_every_scene_has_false_boxes_and_low_scores(scene: Scene) -> None:
    found, truth = scene.detections, scene.truth
    hit = covered_shares(found.frames, found.xyxy.astype(float), truth.frames, truth.xyxy.astype(float)) > 0
    assert (~hit & (found.scores >= 0.2)).any()
    assert ((found.scores >= 0.1) & (found.scores < 0.2)).any()
    assert hit.mean() > 0.5


@pytest.mark.parametrize("scene", ALL.values(), ids=ALL)
def test_most_of_what_is_to_be_seen_is_found_somehow(scene: Scene) -> None:
    best = best_scores(scene)
    for rows in rows_of(scene):
        assert (best[rows] >= 0.2).any(), "an object that is never found could not be hidden by any method"
    assert 0.5 < (best >= 0.2).mean() < 1


def test_occlusion_has_objects_that_a_viewer_sees_and_the_detector_does_not() -> None:
    scene = ALL["occlusion"]
    best, visible = best_scores(scene), scene.truth.visible
    partly = np.isclose(visible, scenes.HIDDEN_VISIBLE)
    assert partly.sum() > 100 and (visible == 0).sum() > 100 and (best[partly] == 0).mean() > 0.9
    for rows in rows_of(scene):
        lengths = runs(partly[rows])
        assert len(lengths) >= 2 and max(lengths) <= 0.8 * 30 + 1
        assert max(runs(visible[rows] == 0)) > 0.4 * 30 - 1


def test_dips_are_of_one_to_twenty_frames_below_threshold_and_floor() -> None:
    scene = ALL["score_dips"]
    best, visible = best_scores(scene), scene.truth.visible
    assert (visible == 1).all()
    below = [length for rows in rows_of(scene) for length in runs(best[rows] < 0.2)]
    gone = [length for rows in rows_of(scene) for length in runs(best[rows] == 0)]
    assert min(below) <= 2 and 15 <= max(gone) <= max(below) <= 30
    assert sum(below) - sum(gone) > 50


@pytest.mark.parametrize(("name", "end"), [("births", 0), ("deaths", -1)])
def test_births_and_deaths_are_seen_late(name: str, end: Any) -> None:
    scene = ALL[name]
    best = best_scores(scene)
    heights = scene.truth.xyxy[:, 3] - scene.truth.xyxy[:, 1]
    small, unseen = 0, []
    for rows in rows_of(scene):
        good = np.flatnonzero(best[rows] >= 0.2)
        unseen.append(good[0] if end == 0 else len(rows) - 1 - good[-1])
        small += heights[rows[end]] < 20 and heights[rows].max() > 50
    assert sorted(unseen)[1] >= scenes.BLIND_FRAMES[0], "a false box may lie on one by chance"
    assert small == 5, "every other one comes from afar"
    assert len({int(scene.truth.frames[rows[end]]) for rows in rows_of(scene)}) == 10, "not all at once"


def test_objects_cross_every_edge_at_every_size() -> None:
    truth = ALL["edges"].truth
    crossed = set()
    for rows in rows_of(ALL["edges"]):
        height = int((truth.xyxy[rows, 3] - truth.xyxy[rows, 1]).max().round())
        for at in (rows[0], rows[-1]):
            edges = np.isclose(truth.xyxy[at], (0, 0, 1280, 720), atol=1e-3)
            assert edges.any() and truth.visible[at] < 1
            crossed.add((int(np.argmax(edges)), height))
    assert crossed == {(edge, int(h)) for edge in range(4) for h in scenes.EDGE_HEIGHTS_PX}


def test_no_object_is_on_both_sides_of_a_cut() -> None:
    scene = ALL["cuts"]
    assert scene.shots.max() == len(scenes.CUTS_S) == 3
    for rows in rows_of(scene):
        frames = scene.truth.frames[rows]
        assert len(set(scene.shots[frames].tolist())) == 1
        assert len(frames) == (scene.shots == scene.shots[frames[0]]).sum(), "they are there for the whole shot"
    assert np.allclose(scene.times_s[np.flatnonzero(np.diff(scene.shots)) + 1], scenes.CUTS_S, atol=1 / 30)


def test_after_a_cut_the_detector_needs_a_while() -> None:
    scene = ALL["cuts"]
    best = best_scores(scene)
    unseen = [int(np.flatnonzero(best[rows] >= 0.2)[0]) for rows in rows_of(scene)]
    assert sum(n >= 3 for n in unseen) >= 4 and max(unseen) < scenes.CUT_BLIND_FRAMES[1] + 8


def test_somebody_stands_where_another_one_was_before_the_cut() -> None:
    scene = ALL["cuts"]
    truth = scene.truth
    for cut in (np.flatnonzero(np.diff(scene.shots)) + 1).tolist():
        before, after = truth.xyxy[truth.frames == cut - 1], truth.xyxy[truth.frames == cut]
        zeros = np.zeros(len(after), np.int64)
        covered = covered_shares(zeros, after.astype(float), np.zeros(len(before), np.int64), before.astype(float))
        assert covered.max() > 0.5


def test_the_camera_moves_everything_by_10_to_25_px_and_turns_back() -> None:
    scene = ALL["pan"]
    truth = scene.truth
    moves = np.full((scene.n_frames, len(rows_of(scene))), np.nan)
    for number, rows in enumerate(rows_of(scene)):
        whole = rows[truth.visible[rows] == 1]
        x = (truth.xyxy[whole, 0] + truth.xyxy[whole, 2]) / 2
        next_to = np.diff(truth.frames[whole]) == 1
        moves[truth.frames[whole][1:][next_to], number] = np.diff(x)[next_to]
    seen = moves[np.isfinite(moves).any(axis=1)]
    camera = np.nanmedian(seen, axis=1)
    assert np.nanmax(np.abs(seen - camera[:, None])) < 2, "all move together"
    assert np.abs(camera).min() > 9 and np.abs(camera).max() < 26
    assert (np.diff(np.sign(camera)) != 0).sum() >= 5
    assert {0, 1} == set(truth.labels.tolist())
    assert any((np.diff(truth.frames[rows]) > 1).any() for rows in rows_of(scene)), "some leave and come back"


def test_the_crowd_is_one_and_hides_each_other() -> None:
    truth = ALL["crowd"].truth
    assert len(np.unique(truth.object_ids)) == scenes.N_CROWD
    assert np.bincount(truth.frames).mean() > 15
    inside = (truth.xyxy[:, 0] > 0) & (truth.xyxy[:, 2] < 1280)
    hidden = truth.visible[inside]
    assert (hidden < 0.9).mean() > 0.02 and (hidden < 0.3).any()


def test_fast_objects_leave_their_own_box_within_a_frame() -> None:
    scene = ALL["fast_5fps"]
    assert np.allclose(scene.truth.durations_s, 0.2)
    steps = np.concatenate([np.diff(scene.truth.xyxy[rows[1:-1], 0]) for rows in rows_of(scene)])
    assert np.median(np.abs(steps)) > 40


def test_frame_rates() -> None:
    assert np.allclose(ALL["fps_120"].truth.durations_s, 1 / 120)
    durations_s = ALL["variable_rate"].truth.durations_s
    for wanted_s in (1 / 60, 1 / 30, 1 / 15, 1 / 5, 0.4, 0.7):
        assert np.isclose(durations_s, wanted_s, atol=1e-6).any()
    assert durations_s.max() < 0.7 + 1e-6


def test_in_the_dark_the_detector_sees_nothing() -> None:
    scene = ALL["fades"]
    dark = scene.luma < 0.06
    assert len(runs(dark)) == 2 and min(runs(dark)) >= 0.6 * 30
    there = dark[scene.truth.frames]
    assert (scene.truth.visible[there] > 0).all() and (best_scores(scene)[there] == 0).mean() > 0.95


def test_steady_has_neither_cuts_nor_gaps() -> None:
    scene = ALL["steady"]
    assert (scene.truth.visible == 1).all() and scene.shots.max() == 0
    assert all(len(rows) == scene.n_frames for rows in rows_of(scene))


def test_an_unknown_scene_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"'nonsense' is unknown.*steady"):
        suite(["steady", "nonsense"])
    assert suite([]) == []
