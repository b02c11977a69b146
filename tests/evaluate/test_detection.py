from __future__ import annotations

import numpy as np
import pytest

from anonflow.evaluate.detection import detect_metrics
from anonflow.evaluate.intervals import Bootstrap
from tests.evaluate.samples import picture, video

FACE, OTHER, AWAY = [10, 10, 30, 30], [60, 60, 80, 80], [40, 0, 50, 10]


def test_by_hand() -> None:
    cases = [
        picture([FACE, OTHER], found=[FACE, AWAY, OTHER], scores=[0.9, 0.5, 0.1]),
        picture([FACE], found=[FACE], scores=[0.8], item_id="b"),
        picture([], found=[AWAY], scores=[0.3], item_id="c"),
        picture([], item_id="d"),
    ]
    got = detect_metrics(cases, 0, 0.3, 0.5, Bootstrap(200))
    m = got.metrics
    assert (m["objects"], m["precision"], m["recall"]) == (3, 0.5, pytest.approx(2 / 3))
    assert m["f1"] == pytest.approx(4 / 7) and m["f2"] == pytest.approx(5 * 2 / (5 * 2 + 4 * 1 + 2))
    assert m["recall_at_floor"] == 1
    assert m["frames"]["negative"] == 2 and m["frames"]["false_positive_rate"] == 0.5
    assert m["frames"]["balanced_accuracy"] == 0.75
    assert [flags.tolist() for flags in got.found] == [[True, False], [True], [], []]
    low, high = m["intervals"]["recall"]
    assert low <= m["recall"] <= high
    assert m["size"]["small"]["objects"] == 3 and np.isnan(m["size"]["large"]["ap"])
    assert m["height"]["16-32 px"] == {"objects": 3, "recall": pytest.approx(2 / 3)}
    assert "wider" not in m


def test_a_video_is_many_frames() -> None:
    case = video("steady")
    m = detect_metrics([case], 0, 0.2, 0.5, Bootstrap(0)).metrics
    there = (case.scene.truth.labels == 0) & ~case.ignored
    assert m["objects"] == there.sum() and 0.5 < m["recall"] <= 1 and 0.5 < m["ap50"] <= 1
    assert m["frames"]["positive"] + m["frames"]["negative"] <= case.scene.n_frames
    assert m["intervals"]["recall"] is None, "one video has no spread"


def test_wider_levels_include_the_easier_ones() -> None:
    levels = ["easy", "hard", "ignored"]
    case = picture([FACE, OTHER, AWAY], found=[FACE], scores=[0.9], ignored=[False, False, True], difficulty=levels)
    assert detect_metrics([case], 0, 0.2, 0.5, Bootstrap(0)).metrics["wider"] == {
        "easy": 1,
        "medium": 1,
        "hard": 0.5,
    }


def test_nothing_annotated_gives_no_numbers() -> None:
    m = detect_metrics([picture([])], 0, 0.2, 0.5, Bootstrap(10)).metrics
    assert m["objects"] == 0 and np.isnan(m["ap50"]) and np.isnan(m["recall"])
