"""That a replayed plan is the run's own is proved on real clips in tests/pipeline/test_planned.py."""

from __future__ import annotations

import numpy as np
import pytest

from anonflow.errors import ConfigError
from anonflow.evaluate.masks import count_masks
from anonflow.evaluate.methods import ladder
from anonflow.evaluate.replay import leak_counts, replayed, with_threshold
from tests.evaluate.samples import hiding, picture, video


def test_equals_the_last_rung_of_the_ladder() -> None:
    case, config = video(), hiding()
    *_, last = ladder(config).values()
    assert replayed(case.scene, config, is_video=True).equals(last(case.scene))


def test_a_picture_has_no_time_before_and_after() -> None:
    case = picture([[10, 10, 30, 30]], found=[[10, 10, 30, 30], [50, 50, 70, 70]], scores=[0.9, 0.15])
    plan = replayed(
        case.scene, hiding("stabilise.drop.min_duration_s=1", "stabilise.drop.min_score=1"), is_video=False
    )
    np.testing.assert_allclose(plan.xyxy, [[6, 6, 34, 34]])


def test_counts_at_a_margin_are_those_of_a_run_with_it() -> None:
    case = video()
    counts = leak_counts(case, hiding(), 0, 0.9, np.array([0.0, 0.2]))
    assert counts[1] == count_masks(case, [0], 0.9).exposure.leaking_frames and counts[0] > counts[1]


def test_thresholds_stay_in_order() -> None:
    config = hiding()
    high, low = (with_threshold(config, "face", value).detector["face"] for value in (0.7, 0.01))
    assert (high.threshold, high.keep_threshold) == (0.7, config.detector["face"].keep_threshold)
    assert (low.threshold, low.keep_threshold) == (low.floor, low.floor)
    assert with_threshold(config, "face", 0.7).detector["plate"] == config.detector["plate"]


def test_a_tracker_that_looks_at_pictures_cannot_be_replayed() -> None:
    with pytest.raises(ConfigError, match="kept detections"):
        replayed(video().scene, hiding("tracker=deepsort"), is_video=True)
