"""Our ByteTrack beside that of the library `trackers` (Apache-2.0), where both mean the same.

Development only: the library needs the `opencv-python` wheel, which overwrites the headless one. Install it in an
environment of its own to run this. Where the two differ on purpose:

- noise: the library's is constant in px, ours is the paper's share of the height; here ours is set to theirs, and
  the grid made so fine that rounding does not show;
- birth: the library gives an id only once a track is confirmed and needs a higher score for a birth than for the
  first association; ours names the track at its first detection, at one threshold. So the tracks are compared
  from the frame on in which the library has named them;
- labels: the library does not look at them, so these streams have one label;
- gating: the library looks for the best pairing of all pairs and drops pairs below the gate, ours looks among
  pairs above the gate. So objects here are either apart or far above the gate;
- lost tracks: ours hold their size, theirs let it run on. So objects here keep their size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from anonflow.track import kalman
from anonflow.track.state import TrackerState
from anonflow.track.tracker import one_pass, step
from anonflow.types import Detections
from tests.streams import SHARED, THRESHOLD, detections, even, make_grading, make_params, read_mot, seen

trackers = pytest.importorskip(
    "trackers", reason="the oracle needs the library `trackers` in an environment of its own"
)
supervision = pytest.importorskip("supervision")

N_FRAMES, GATE, BUFFER = 150, 0.1, 30
PARAMS = make_params(BUFFER, 2, GATE, GATE)
GRADING = make_grading(keep=0.0)


@pytest.fixture(autouse=True)
def _same_motion_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's noise in units of its measurement variance, 0.1 px^2."""
    monkeypatch.setattr(kalman, "NOISE", np.array([[0.1], [0.0], [0.1]]))
    monkeypatch.setattr(kalman, "BORN_COVARIANCE", (10.0, 0.0, 10.0))
    monkeypatch.setattr(kalman, "GRID_PX", 2.0**-30)
    monkeypatch.setattr(kalman, "COVARIANCE_GRID", 2.0**-30)


def lanes(seed: int) -> Detections:
    """Objects of constant size in lanes of their own, with weak spells and absences."""
    rng = np.random.default_rng(seed)
    rows = []
    for lane in range(6):
        x, speed, size = rng.uniform(0, 300), rng.uniform(-1.5, 1.5), rng.uniform(30, 60)
        first, last = sorted(rng.integers(0, N_FRAMES, 2))
        hidden = rng.integers(0, N_FRAMES)
        weak = rng.integers(0, N_FRAMES)
        for frame in range(first, last):
            x += speed
            if hidden <= frame < hidden + 8:
                continue
            score = rng.uniform(0.2, 0.45) if weak <= frame < weak + 15 else rng.uniform(0.6, 1.0)
            y = 80.0 * lane + rng.normal(0, 0.3)
            rows.append((frame, x, y, x + size, y + size, score, 0))
    return detections(rows)


def make_library() -> Any:
    """The library's tracker with our parameters."""
    return trackers.ByteTrackTracker(
        lost_track_buffer=BUFFER,
        track_activation_threshold=THRESHOLD,
        high_conf_det_threshold=THRESHOLD,
        minimum_iou_threshold=GATE,
        minimum_consecutive_frames=PARAMS.min_hits,
    )


def step_library(library: Any, found: Detections) -> Any:
    """The library's answer to the detections of one frame."""
    return library.update(supervision.Detections(xyxy=found.xyxy, confidence=found.scores))


def oracle_ids(stream: Detections, n_frames: int) -> Iterator[tuple[tuple[int, bytes], int]]:
    """Frame and box of every detection that the library names, with its id."""
    library = make_library()
    for frame in range(n_frames):
        named = step_library(library, stream.between(frame, frame + 1))
        for box, track_id in zip(named.xyxy, named.tracker_id, strict=True):
            if track_id >= 0:
                yield (frame, box.astype(np.float32).tobytes()), int(track_id)


def agreement(stream: Detections, n_frames: int) -> tuple[int, int, int]:
    """Detections that the library names, pairs (our id, its id) among them, and ids of ours among them."""
    tracks = one_pass(seen(stream, GRADING), even(n_frames), PARAMS)
    places = zip(tracks.frames.tolist(), (box.tobytes() for box in tracks.xyxy), strict=True)
    ours = dict(zip(places, tracks.track_ids.tolist(), strict=True))
    theirs = dict(oracle_ids(stream, n_frames))
    assert set(theirs) <= set(ours), "what the library tracks, we track"
    pairs = {(ours[place], track_id) for place, track_id in theirs.items()}
    return len(theirs), len(pairs), len({mine for mine, _ in pairs})


@pytest.mark.parametrize("seed", range(12))
def test_tracks_are_the_librarys(seed: int) -> None:
    stream = lanes(seed)
    n_named, n_pairs, n_ours = agreement(stream, N_FRAMES)
    assert n_pairs == n_ours == len(set(dict(oracle_ids(stream, N_FRAMES)).values())), "ids correspond one to one"
    assert n_named > 0.8 * seen(stream, GRADING).high.sum()


def test_filtered_boxes_are_the_librarys() -> None:
    stream, state, library = lanes(1), TrackerState.empty(), make_library()
    for frame in range(N_FRAMES):
        found = stream.between(frame, frame + 1)
        state, _ = step(state, seen(found, GRADING), frame, even(N_FRAMES), PARAMS)
        step_library(library, found)
        ours = state.boxes[state.last_frames == frame]
        theirs = [t.get_state_bbox() for t in library.tracks if t.time_since_update == 0]
        theirs = np.reshape(theirs, (-1, 4))
        by_lane = [boxes[np.argsort(boxes[:, 1])] for boxes in (ours, theirs)]
        np.testing.assert_allclose(*by_lane, atol=1e-5)


@pytest.mark.parametrize(
    "path", ["data/mot/TUD-Campus/gt.txt", "data/mot/TUD-Stadtmitte/gt.txt", "data/derived/pan_plates_gt.txt"]
)
def test_real_streams_agree_but_for_few_switches(path: str) -> None:
    if not (SHARED / path).exists():
        pytest.skip("needs ../shared/data, which lies beside the checkout on some machines only")
    stream = read_mot(SHARED / path)
    n_named, n_pairs, n_ours = agreement(stream, int(stream.frames[-1]) + 1)
    assert n_pairs - n_ours <= 0.01 * n_named
