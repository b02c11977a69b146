"""Short videos with exact truth and a simulated detector, drawn independently: what guarantees are tried on."""

from __future__ import annotations

import numpy as np

from anonflow.calibrate.units import Unit
from anonflow.evaluate.motion import FACE, HEIGHT, LABELS, PLATE, WIDTH, Rng, even_times, pacing
from anonflow.evaluate.simulate import detections_of, truth_of
from anonflow.evaluate.truth import Scene

FPS, LENGTH_S = 10.0, 4.0
HEIGHTS_PX = (11.0, 60.0)
"""Smaller objects than in most footage: some are missed for long."""
N_OBJECTS = (1, 4)
N_CAMERAS = 10
"""Groups that the videos fall into, in turn."""


def generated(n_videos: int, seed: int) -> list[Unit]:
    """People who walk by, and plates. Equal seeds give equal videos; more of them begin with the same."""
    return [_unit(number, np.random.default_rng([seed, number])) for number in range(n_videos)]


def _unit(number: int, rng: Rng) -> Unit:
    times_s, end_s = even_times(fps=FPS, length_s=LENGTH_S)
    n = int(rng.integers(N_OBJECTS[0], N_OBJECTS[1] + 1))
    lives = [
        pacing(rng, times_s, rng.uniform(*HEIGHTS_PX), label=PLATE if rng.random() < 0.25 else FACE)
        for _ in range(n)
    ]
    truth = truth_of(lives, times_s, end_s, WIDTH, HEIGHT)
    light = np.full(len(times_s), 0.5, np.float32)
    shots = np.zeros(len(times_s), np.int32)
    name = f"generated {number:05d}"
    scene = Scene(name, truth, detections_of(rng, lives, truth, len(LABELS)), shots, light, LABELS)
    return Unit(name, f"camera {number % N_CAMERAS}", scene)
