"""Synthetic detections for tests: objects that move, hide, fade and cross, and chunkings to cut them by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from anonflow.track.params import TrackerParams
from anonflow.types import Detections

SHARED = Path(__file__).resolve().parents[1] / "../shared"
THRESHOLD, FLOOR = 0.5, 0.2
N_LABELS = 3


def make_params(
    buffer_frames: int = 12, min_hits: int = 2, high_match_iou: float = 0.2, low_match_iou: float = 0.3
) -> TrackerParams:
    """Parameters with the same scores for every label."""
    return TrackerParams(
        thresholds=np.full(N_LABELS, THRESHOLD, np.float32),
        floors=np.full(N_LABELS, FLOOR, np.float32),
        buffer_frames=buffer_frames,
        min_hits=min_hits,
        high_match_iou=high_match_iou,
        low_match_iou=low_match_iou,
    )


def detections(rows: list[tuple[float, ...]]) -> Detections:
    """Detections from rows of frame, x1, y1, x2, y2, score and label, in any order of frames."""
    table = np.array(rows, np.float64).reshape(-1, 7)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return Detections(
        frames=table[:, 0].astype(np.int64),
        xyxy=table[:, 1:5].astype(np.float32),
        scores=table[:, 5].astype(np.float32),
        labels=table[:, 6].astype(np.int16),
    )


def still_object(scores: dict[int, float], x: float = 100.0, label: int = 0) -> list[tuple[float, ...]]:
    """Rows of an object of 40 x 40 px that drifts slowly to the right, with its score per frame."""
    return [(f, x + 0.3 * f, 50.0, x + 40 + 0.3 * f, 90.0, score, label) for f, score in scores.items()]


@dataclass(frozen=True)
class Scene:
    """What a stream is made from."""

    seed: int
    n_frames: int
    n_objects: int
    n_labels: int
    clutter: float
    """False detections per frame."""
    snap_px: float
    """Coordinates are multiples of this; a coarse one makes overlaps that tie exactly."""

    def detections(self) -> Detections:
        """The detections, in random order within each frame."""
        rng = np.random.default_rng(self.seed)
        rows = [row for _ in range(self.n_objects) for row in self._object(rng)]
        n_false = rng.poisson(self.clutter * self.n_frames)
        rows += [self._row(rng, int(rng.integers(self.n_frames)), rng.uniform(0, 250, 2)) for _ in range(n_false)]
        rng.shuffle(rows)
        return detections(rows)

    def _object(self, rng: np.random.Generator) -> list[tuple[float, ...]]:
        """An object that enters a small picture at some time, with spells of low scores and of absence."""
        first, last = np.sort(rng.integers(0, self.n_frames + 1, 2))
        position, velocity = rng.uniform(0, 250, 2), rng.normal(0, 2, 2)
        size, label = rng.uniform(20, 60, 2), int(rng.integers(self.n_labels))
        rows, mood, until = [], "seen", 0
        for frame in range(first, last):
            if frame >= until:
                mood = str(rng.choice(["seen", "faint", "below the floor", "hidden"], p=[0.6, 0.2, 0.05, 0.15]))
                until = frame + int(rng.integers(1, 25))
            position, velocity = position + velocity, velocity + rng.normal(0, 0.1, 2)
            if mood != "hidden":
                rows.append(self._row(rng, frame, position, size, label, mood))
        return rows

    def _row(
        self,
        rng: np.random.Generator,
        frame: int,
        position: np.ndarray,
        size: np.ndarray | float = 40.0,
        label: int = 0,
        mood: str = "seen",
    ) -> tuple[float, ...]:
        corners = np.concatenate((position, position + size)) + rng.normal(0, 0.7, 4)
        corners = np.round(corners / self.snap_px) * self.snap_px
        low, high = {"seen": (THRESHOLD, 1), "faint": (FLOOR, THRESHOLD), "below the floor": (0, FLOOR)}[mood]
        return (frame, *corners.tolist(), rng.uniform(low, high), label)


def scenes(max_frames: int = 160) -> st.SearchStrategy[Scene]:
    """Scenes from empty to crowded."""
    return st.builds(
        Scene,
        seed=st.integers(0, 2**32 - 1),
        n_frames=st.integers(1, max_frames),
        n_objects=st.integers(0, 7),
        n_labels=st.integers(1, N_LABELS),
        clutter=st.sampled_from([0.0, 0.0, 0.05, 0.5]),
        snap_px=st.sampled_from([1e-3, 1e-3, 0.5, 16.0]),
    )


def all_params() -> st.SearchStrategy[TrackerParams]:
    """Tracker parameters from strict to lax."""
    return st.builds(
        make_params,
        buffer_frames=st.integers(0, 30),
        min_hits=st.integers(1, 4),
        high_match_iou=st.sampled_from([0.0, 0.1, 0.2, 0.5]),
        low_match_iou=st.sampled_from([0.0, 0.2, 0.5]),
    )


@st.composite
def chunkings(draw: st.DrawFn, n_frames: int) -> list[tuple[int, int, int]]:
    """Chunks that tile `n_frames` frames: lead frame, start and stop of each."""
    cuts = draw(st.sets(st.integers(1, max(1, n_frames - 1)), max_size=6)) - {n_frames}
    starts = [0, *sorted(cuts)]
    overlap = draw(st.sampled_from([0, 0, 1, 7, 20, 64, 200]))
    stops = [*starts[1:], n_frames]
    return [(max(0, start - overlap), start, stop) for start, stop in zip(starts, stops, strict=True)]


def read_mot(path: Path, label: int = 0) -> Detections:
    """Detections of a MOTChallenge text file: frame (from 1), id, left, top, width, height, score."""
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    corners = np.concatenate((table[:, 2:4], table[:, 2:4] + table[:, 4:6]), axis=1)
    scores = np.where(table[:, 6] < 0, 1.0, table[:, 6])
    return detections([(f - 1, *box, s, label) for f, box, s in zip(table[:, 0], corners, scores, strict=True)])
