from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anonflow.errors import ConfigError
from anonflow.track.timeline import Timeline
from anonflow.track.whole import plan_whole, track_whole
from anonflow.types import Detections, FrameFacts
from tests.pipeline.worlds import configuration

CONFIG = configuration("detector=faces")
FRAMES = np.delete(np.arange(30), [12, 13])
FOUND = Detections(
    FRAMES,
    np.tile(np.array([20, 20, 60, 60], np.float32), (28, 1)),
    np.full(28, 0.9, np.float32),
    np.zeros(28, np.int16),
)
FACTS = FrameFacts(np.arange(30), np.full(30, 0.5, np.float32), np.zeros(30, np.bool_))


def test_a_gap_is_hidden_too() -> None:
    timeline = Timeline.even(30, 0.04)
    tracks = track_whole(FOUND, FACTS, timeline, CONFIG, 200, 100)
    plan = plan_whole(tracks, timeline, CONFIG, 200, 100)
    assert set(tracks.frames.tolist()) == set(FRAMES.tolist())
    assert set(plan.frames.tolist()) == set(range(30))


def test_a_tracker_that_compares_looks_is_refused() -> None:
    deepsort = replace(configuration("detector=faces", "tracker=deepsort"))
    with pytest.raises(ConfigError, match="appearance"):
        track_whole(FOUND, FACTS, Timeline.even(30, 0.04), deepsort, 200, 100)
