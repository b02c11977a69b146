"""Synthetic detections for tests: objects that move, hide, fade and cross, and chunkings to cut them by."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from anonflow.config import AdaptiveConfig
from anonflow.track.appearance import Looks
from anonflow.track.grade import Grading, grade
from anonflow.track.params import AppearanceParams, TrackerParams
from anonflow.track.seam import Way
from anonflow.track.timeline import Timeline
from anonflow.types import Detections, FloatArray, FrameFacts, Observations

SHARED = Path(__file__).resolve().parents[1] / "../shared"
THRESHOLD, FLOOR = 0.5, 0.2
N_LABELS = 3


INTERVAL_S = 0.04
OFF = AdaptiveConfig(
    enabled=False,
    dark_luma=0.0,
    bright_luma=1.0,
    dark_factor=1,
    sparse_objects=0,
    crowded_objects=1,
    crowd_factor=1,
)
PICTURE = (1000, 1000)


def make_grading(start: float | list[float] = THRESHOLD, keep: float | list[float] = FLOOR) -> Grading:
    """Scores of every label (or by label); every size is an object, every frame is like the others."""
    return Grading(
        start=np.broadcast_to(np.float32(start), N_LABELS),
        keep=np.broadcast_to(np.float32(keep), N_LABELS),
        lowest=np.zeros(N_LABELS, np.float32),
        hidden=np.ones(N_LABELS, np.bool_),
        min_side_px=np.zeros(N_LABELS, np.float32),
        max_side_share=np.full(N_LABELS, np.inf, np.float32),
        adaptive=OFF,
    )


def seen(found: Detections, grading: Grading | None = None) -> Observations:
    """What a tracker sees of detections."""
    return grade(found, FrameFacts.empty(), grading or make_grading(), *PICTURE)


def even(n_frames: int) -> Timeline:
    """25 frames a second, one shot."""
    return Timeline.even(n_frames, INTERVAL_S)


def make_params(
    buffer_frames: int = 12,
    min_hits: int = 2,
    high_match_iou: float = 0.2,
    low_match_iou: float | None = 0.3,
    max_speed_sides_per_s: float = 0.0,
    appearance: AppearanceParams | None = None,
) -> TrackerParams:
    """Parameters of a ByteTrack."""
    return TrackerParams(
        buffer_s=buffer_frames * INTERVAL_S,
        min_hits=min_hits,
        high_match_iou=high_match_iou,
        low_match_iou=low_match_iou,
        max_speed_sides_per_s=max_speed_sides_per_s,
        appearance=appearance,
    )


BYTETRACK = make_params(min_hits=1, max_speed_sides_per_s=3.0)
SORT = make_params(buffer_frames=3, low_match_iou=None)
DEEPSORT = make_params(appearance=AppearanceParams(max_cosine_distance=0.2, gallery=5))
TRACKERS = {"bytetrack": BYTETRACK, "sort": SORT, "deepsort": DEEPSORT}


def looks_of(found: Detections) -> Looks:
    """Descriptors that follow from an object's size, which hardly changes, and from its label."""

    def looks(frame: int) -> FloatArray:
        here = found.between(frame, frame + 1)
        sides = (here.xyxy[:, 2:] - here.xyxy[:, :2]) / 40 + here.labels[:, None]
        both = np.concatenate((np.cos(sides), np.sin(sides)), axis=1)
        return np.asarray(both / np.sqrt(2), np.float32)

    return looks


def way_of(found: Detections, timeline: Timeline, params: TrackerParams) -> Way:
    """How a stream is tracked, with looks if the tracker asks for them."""
    return Way(timeline, params, looks_of(found) if params.appearance else None)


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
    """Tracker parameters from strict to lax, with every round of association on and off."""
    return st.builds(
        make_params,
        buffer_frames=st.integers(0, 30),
        min_hits=st.integers(1, 4),
        high_match_iou=st.sampled_from([0.0, 0.1, 0.2, 0.5]),
        low_match_iou=st.sampled_from([None, 0.0, 0.2, 0.5]),
        max_speed_sides_per_s=st.sampled_from([0.0, 3.0, 20.0]),
        appearance=st.none() | st.builds(AppearanceParams, st.sampled_from([0.05, 0.2, 1.0]), st.integers(1, 12)),
    )


@st.composite
def timelines(draw: st.DrawFn, n_frames: int) -> Timeline:
    """Constant and variable frame rates, with and without cuts."""
    if draw(st.booleans()):
        return even(n_frames)
    ticks = draw(st.lists(st.sampled_from([1, 4, 4, 4, 5, 20, 80]), min_size=n_frames, max_size=n_frames))
    pts = np.cumsum(ticks) - ticks[0]
    cuts = np.zeros(n_frames, np.bool_)
    cuts[sorted(draw(st.sets(st.integers(0, n_frames - 1), max_size=4)))] = True
    return Timeline.of(pts, Fraction(1, 100), int(pts[-1]) + 4, cuts)


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
