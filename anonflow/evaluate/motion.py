"""Where and when synthetic objects move: frame times, and paths through the picture.

Sizes are in px of the picture, times in seconds of the video.
"""

from __future__ import annotations

import numpy as np

from anonflow.evaluate.simulate import Life, live
from anonflow.evaluate.truth import Times
from anonflow.types import IntArray

Rng = np.random.Generator

WIDTH, HEIGHT = 1280, 720
LABELS = ("face", "plate")
FACE, PLATE = 0, 1
ASPECTS = (0.8, 3.5)
"""Width by height, by label code."""
FPS, LENGTH_S = 30.0, 15.0


def even_times(fps: float = FPS, length_s: float = LENGTH_S) -> tuple[Times, float]:
    """When each frame begins, and when the last one ends."""
    return np.arange(round(fps * length_s)) / fps, length_s


def between(times_s: Times, start_s: float, stop_s: float) -> IntArray:
    """Display indices of the frames that begin in that time."""
    return np.flatnonzero((times_s >= start_s) & (times_s < stop_s))


def pacing(
    rng: Rng,
    times_s: Times,
    height: float,
    frames: IntArray | None = None,
    label: int = FACE,
    swing_px: float = 200,
) -> Life:
    """Somebody who walks to and fro within the picture, in `frames` (all)."""
    frames = np.arange(len(times_s)) if frames is None else frames
    middle = np.array((rng.uniform(300, WIDTH - 300), rng.uniform(160, HEIGHT - 160)))
    swing = np.array((swing_px * rng.uniform(0.3, 1), min(swing_px, 50) * rng.uniform(0.2, 1)))
    turns = times_s[frames, None] / rng.uniform((6, 3), (12, 6)) + rng.uniform(0, 1, 2)
    centres = middle + swing * np.sin(2 * np.pi * turns)
    return live(frames, centres, np.full(len(frames), height), ASPECTS[label], label)


def crossing(rng: Rng, times_s: Times, speeds: tuple[float, float]) -> Life:
    """Somebody who crosses the picture sideways, at a constant speed (px a second)."""
    direction, speed, height = rng.choice((-1, 1)), rng.uniform(*speeds), rng.uniform(50, 120)
    start_s, length_s = rng.uniform(0, 11), (WIDTH + height) / speed
    frames = between(times_s, start_s, start_s + length_s)
    along = direction * speed * (times_s[frames] - start_s - length_s / 2)
    height_above = rng.uniform(100, HEIGHT - 100) + rng.uniform(-40, 40) * (times_s[frames] - start_s)
    centres = np.stack((WIDTH / 2 + along, height_above), axis=1)
    return live(frames, centres, np.full(len(frames), height), ASPECTS[FACE], FACE)
