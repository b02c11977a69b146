from __future__ import annotations

import numpy as np
import pytest

from anonflow.config import TrackerConfig
from anonflow.track.params import TrackerParams, frames_covering

CONFIG = TrackerConfig(buffer_s=1.0, min_hits=3, high_match_iou=0.2, low_match_iou=0.5)


@pytest.mark.parametrize(
    ("duration_s", "frame_interval_s", "n_frames"),
    [(0.0, 0.04, 0), (1.0, 1 / 30, 30), (1.0, 1001 / 30000, 30), (0.1, 0.04, 3), (0.001, 1.0, 1)],
)
def test_limits_round_up_to_whole_frames(duration_s: float, frame_interval_s: float, n_frames: int) -> None:
    assert frames_covering(duration_s, frame_interval_s) == n_frames


def test_params_follow_the_configuration() -> None:
    params = TrackerParams.from_config(CONFIG, [0.5, 0.7], [0.1, 0.2], frame_interval_s=0.04)
    assert (params.buffer_frames, params.min_hits) == (25, 3)
    assert (params.high_match_iou, params.low_match_iou) == (0.2, 0.5)


def test_a_score_equal_to_its_threshold_reaches_it() -> None:
    params = TrackerParams.from_config(CONFIG, [0.7], [0.1], frame_interval_s=0.04)
    assert np.float32(0.7) >= params.thresholds[0]
    assert np.float32(0.1) >= params.floors[0]
