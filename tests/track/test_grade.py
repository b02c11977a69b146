from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.config import AdaptiveConfig
from anonflow.track.grade import factors, grade
from anonflow.types import Detections, FrameFacts
from tests.streams import FLOOR, PICTURE, THRESHOLD, Scene, detections, make_grading, scenes, seen

ADAPTIVE = AdaptiveConfig(
    enabled=True,
    dark_luma=0.2,
    bright_luma=0.4,
    dark_factor=0.5,
    sparse_objects=2,
    crowded_objects=4,
    crowd_factor=0.8,
)


def facts(*luma: float) -> FrameFacts:
    n = len(luma)
    return FrameFacts(np.arange(n), np.array(luma, np.float32), np.zeros(n, np.bool_))


def one(score: float, frame: int = 0, x: float = 0.0) -> tuple[float, ...]:
    return (frame, x, 0, x + 40, 40, score, 0)


def test_scores_are_graded_and_what_is_below_is_forgotten() -> None:
    below = float(np.nextafter(np.float32(FLOOR), 0))
    graded = seen(detections([one(0.9), one(THRESHOLD), one(0.3), one(FLOOR), one(below)]))
    assert graded.high.tolist() == [True, True, False, False]
    assert graded.places.tolist() == [0, 1, 2, 3]


def test_places_count_all_detections_of_the_frame() -> None:
    graded = seen(detections([one(0.1), one(0.9), one(0.1, frame=1), one(0.1, frame=1), one(0.9, frame=1)]))
    assert graded.places.tolist() == [1, 2]


@pytest.mark.parametrize(("luma", "factor"), [(0.0, 0.5), (0.2, 0.5), (0.3, 0.75), (0.4, 1.0), (1.0, 1.0)])
def test_dark_frames_lower_the_thresholds_on_a_line(luma: float, factor: float) -> None:
    assert factors(ADAPTIVE, np.array([luma], np.float32), np.array([0]))[0] == pytest.approx(factor)


@pytest.mark.parametrize(("n_objects", "factor"), [(0, 1.0), (2, 1.0), (3, 0.9), (4, 0.8), (40, 0.8)])
def test_crowded_frames_lower_the_thresholds_on_a_line(n_objects: int, factor: float) -> None:
    assert factors(ADAPTIVE, np.array([0.9], np.float32), np.array([n_objects]))[0] == pytest.approx(factor)


def test_each_frame_has_its_own_thresholds() -> None:
    grading = replace(make_grading(), adaptive=ADAPTIVE)
    stream = detections([one(0.3, frame=0), one(0.3, frame=1), one(0.15, frame=0), one(0.15, frame=1)])
    graded = grade(stream, facts(0.9, 0.1), grading, *PICTURE)
    assert list(zip(graded.frames.tolist(), graded.high.tolist(), strict=True)) == [
        (0, False),
        (1, True),
        (1, False),
    ]


def test_a_crowd_counts_its_strong_detections() -> None:
    grading = replace(make_grading(), adaptive=ADAPTIVE)
    crowd = [one(0.9, x=50 * i) for i in range(4)]
    assert grade(detections([*crowd, one(0.42)]), facts(0.9), grading, *PICTURE).high.all()
    weak = [one(0.42, x=50 * i) for i in range(5)]
    assert not grade(detections(weak), facts(0.9), grading, *PICTURE).high.any()


def test_no_adaption_goes_below_the_lowest_nor_above_the_threshold() -> None:
    grading = replace(make_grading(start=0.4, keep=0.1), adaptive=ADAPTIVE, lowest=np.full(3, 0.3, np.float32))
    graded = grade(detections([one(0.29), one(0.31), one(0.11)]), facts(0.0), grading, *PICTURE)
    assert graded.high.tolist() == [False, True, False]


def test_sizes_that_cannot_be_are_dropped_by_label() -> None:
    grading = replace(
        make_grading(),
        min_side_px=np.array([10, 0, 0], np.float32),
        max_side_share=np.array([9, 0.5, 9], np.float32),
    )
    small, wide = (0, 0, 0, 9, 40, 0.9), (0, 0, 0, 501, 40, 0.9)
    stream = detections([(*small, 0), (*small, 1), (*wide, 0), (*wide, 1)])
    graded = grade(stream, facts(1.0), grading, *PICTURE)
    assert graded.labels.tolist() == [1, 0]


def test_labels_that_are_not_hidden_are_not_tracked() -> None:
    grading = replace(make_grading(), hidden=np.array([True, False, True]))
    stream = detections([(0, 0, 0, 40, 40, 0.9, label) for label in range(3)])
    assert seen(stream, grading).labels.tolist() == [0, 2]


@given(scenes(max_frames=40), st.floats(0, 1), st.floats(0.3, 1))
@settings(max_examples=40, deadline=None)
def test_adaption_only_adds(scene: Scene, luma: float, factor: float) -> None:
    stream = scene.detections()
    same_light = facts(*[luma] * scene.n_frames)
    plain = grade(stream, same_light, make_grading(), *PICTURE)
    lowered = replace(make_grading(), adaptive=replace(ADAPTIVE, dark_factor=factor))
    adapted = grade(stream, same_light, lowered, *PICTURE)
    assert keys(plain, high=True) <= keys(adapted, high=True)
    assert keys(plain, high=False) <= keys(adapted, high=False) | keys(adapted, high=True)


def keys(graded: object, *, high: bool) -> set[tuple[int, int]]:
    rows = graded[graded.high == high]  # type: ignore[index,attr-defined]
    return set(zip(rows.frames.tolist(), rows.places.tolist(), strict=True))


def test_nothing_seen_is_nothing() -> None:
    assert len(grade(Detections.empty(), facts(), replace(make_grading(), adaptive=ADAPTIVE), *PICTURE)) == 0
