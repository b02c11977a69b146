from __future__ import annotations

from dataclasses import replace

import pytest

from anonflow.pipeline.tracking import by_label, margins, thresholds, tracker_params
from tests.pipeline.worlds import configuration
from tests.test_types import index_of


def test_values_are_by_label_code() -> None:
    scores = ("detector.face.threshold=0.5", "detector.plate.threshold=0.25")
    config = configuration(*scores, "mask.face.margin=0.1", "mask.plate.margin=0.3")
    assert config.labels == ("face", "plate")
    assert thresholds(config).tolist() == [0.5, 0.25]
    assert margins(config) == [0.1, 0.3]


def test_of_two_detectors_of_one_label_the_lower_threshold_counts() -> None:
    config = configuration("detector.face.threshold=0.5", "detector.face.floor=0.1")
    face = config.detector["face"]
    both = replace(config, detector={"one": face, "two": replace(face, threshold=0.25, floor=0.125)})
    assert thresholds(both).tolist() == [0.25]
    assert by_label(both, lambda d: d.floor).tolist() == pytest.approx([0.1])


def test_seconds_become_frames_at_the_rate_of_the_video() -> None:
    scores = ("detector.face.threshold=0.5", "detector.face.floor=0.25")
    config = configuration("tracker.buffer_s=1", "tracker.min_hits=2", *scores)
    params = tracker_params(config, index_of([0, 4, 8, 12]))  # 25 frames a second
    assert (params.buffer_frames, params.min_hits) == (25, 2)
    assert params.floors[0] == 0.25
    assert tracker_params(config, index_of([0, 2, 4])).buffer_frames == 50
