"""What tracking and stabilising cost, beside ByteTrack of the library `trackers` in the same run.

    pytest -n 0 -s -m benchmark tests/benchmark

The library needs the `opencv-python` wheel, which overwrites the headless one: install it in an environment of its
own. Without it, ours is measured alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from anonflow.track.configured import operators, tracker_params
from anonflow.track.operators import TrackFacts, View
from anonflow.track.reverse import prolong_backwards, unclaimed_by
from anonflow.track.stabilise import mask_plan, stabilise
from anonflow.track.timeline import Timeline
from anonflow.track.tracker import one_pass
from anonflow.types import Detections
from tests.pipeline.worlds import configuration
from tests.streams import detections, make_grading, seen

N_OBJECTS, N_FRAMES, N_RUNS = 20, 1000, 5
CHUNK_FRAMES = 500


def crowd() -> Detections:
    """20 objects of 60 px on their ways through a 1080p picture; 5 % of detections are missing, 10 % are weak."""
    rng = np.random.default_rng(0)
    place, velocity = rng.uniform(0, 1000, (N_OBJECTS, 2)), rng.normal(0, 2, (N_OBJECTS, 2))
    rows: list[tuple[float, ...]] = []
    for frame in range(N_FRAMES):
        place = place + velocity
        velocity = np.where((place < 0) | (place > (1860, 1020)), -velocity, velocity)
        boxes = np.concatenate((place, place + 60), axis=1) + rng.normal(0, 1, (N_OBJECTS, 4))
        scores = np.where(rng.random(N_OBJECTS) < 0.1, 0.15, 0.8)
        found = np.flatnonzero(rng.random(N_OBJECTS) >= 0.05)
        rows += [(frame, *boxes[i].tolist(), float(scores[i]), 0) for i in found]
    return detections(rows)


def best_ms_a_frame(run: Callable[[], object]) -> float:
    """CPU time of the fastest of some runs, in milliseconds a frame."""

    def once() -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    return min(once() for _ in range(N_RUNS)) / N_FRAMES * 1e3


@pytest.mark.benchmark
def test_tracking_and_stabilising_twenty_objects() -> None:
    found, timeline, config = crowd(), Timeline.even(N_FRAMES, 1 / 30), configuration("detector=faces")
    stream, params, steps = seen(found, make_grading(0.2, 0.1)), tracker_params(config.tracker), operators(config)
    tracks = one_pass(stream, timeline, params)

    def stabilised() -> None:
        reverse = config.stabilise.reverse
        whole = prolong_backwards(
            tracks, unclaimed_by(tracks, stream), timeline, reverse.buffer_s, reverse.match_iou
        )
        view = View(timeline, 1920, 1080, TrackFacts.of(whole, timeline))
        for start in range(0, N_FRAMES, CHUNK_FRAMES):
            hidden = stabilise(whole, steps, view, start, start + CHUNK_FRAMES)
            mask_plan(hidden, [0.2], 1920, 1080)

    tracking = best_ms_a_frame(lambda: one_pass(stream, timeline, params))
    stabilising = best_ms_a_frame(stabilised)
    print(f"\ntracking {tracking:.3f}, stabilising {stabilising:.3f} ms a frame, {N_OBJECTS} objects")
    print_library(found, tracking)
    assert len(set(tracks.track_ids.tolist())) == N_OBJECTS


def print_library(found: Detections, ours_ms: float) -> None:
    """The library's figure on the same detections, if it is there."""
    try:
        import supervision
        import trackers
    except ImportError:
        print("the library `trackers` is not installed: nothing to compare with")
        return
    bounds = np.searchsorted(found.frames, np.arange(N_FRAMES + 1))
    frames = [slice(first, last) for first, last in pairwise(bounds)]

    def library() -> None:
        tracker = trackers.ByteTrackTracker(lost_track_buffer=30, high_conf_det_threshold=0.2)
        for rows in frames:
            tracker.update(supervision.Detections(xyxy=found.xyxy[rows], confidence=found.scores[rows]))

    theirs = best_ms_a_frame(library)
    print(f"trackers.ByteTrackTracker {theirs:.3f} ms a frame; ours takes {ours_ms / theirs:.2f} of it")
