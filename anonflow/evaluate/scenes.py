"""A suite of synthetic scenes, each about one way in which objects are missed, with exact ground truth.

Every scene is drawn from a seed of its own (its name's), so it is the same on every machine and does not change
when others are added. Sizes are in px of the picture, times in seconds of the video.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from anonflow.errors import ConfigError
from anonflow.evaluate.areas import Reals
from anonflow.evaluate.motion import (
    ASPECTS,
    FACE,
    HEIGHT,
    LABELS,
    PLATE,
    WIDTH,
    Rng,
    between,
    crossing,
    even_times,
    pacing,
)
from anonflow.evaluate.simulate import Life, detections_of, live, stand_in_front, truth_of
from anonflow.evaluate.truth import Scene, Times

SEED = 20_240_601
HIDDEN_S, HIDDEN_VISIBLE = (0.2, 0.8), 0.3
"""Occlusion: how long the detector is blind to an object, and the share of it that is to be seen all the while."""
GONE_S = (0.4, 2.0)
"""Occlusion: how long an object cannot be seen at all."""
DIP_FRAMES, DIP_CAPS = (1, 20), (0.05, 0.16)
"""Score dips: their length, and their scores: below the floor of 0.1, and between it and the threshold of 0.2."""
BLIND_FRAMES, WEAK_FRAMES, WEAK_CAP = (3, 15), (3, 12), 0.18
"""Births: frames before the first detection, frames of low scores then."""
EDGE_HEIGHTS_PX = (16.0, 40.0, 90.0, 200.0, 400.0)
CUTS_S, CUT_BLIND_FRAMES = (3.3, 7.9, 11.5), (0, 8)
"""Scene cuts: when, and for how many frames after one (and the start) an object is not found yet."""
PAN_PX = (10.0, 25.0)
"""Camera pan: px a frame, either way."""
N_CROWD = 25
VARIABLE_RATE = ((60, 2.5), (15, 3.0), (0, 0.7), (5, 3.0), (60, 1.5), (0, 0.4), (30, 2.0), (5, 1.5), (60, 1.0))
"""Frames a second and seconds, in turn; 0: one frame that stays."""
LUMA, LUMA_NOISE, DARK = 0.5, 0.01, 0.03
FADES_S, FADE_S, DARK_S = (3.0, 9.0), 0.4, 0.7
"""Fades: when they begin, how long the light takes to go (and to come back), and how long it is dark."""


def suite(names: Iterable[str] | None = None) -> list[Scene]:
    """The scenes of those names, or all. Raises ConfigError for a name that is none."""
    wanted = list(SCENES if names is None else names)
    if unknown := [name for name in wanted if name not in SCENES]:
        raise ConfigError(f"scene '{unknown[0]}' is unknown; choose from: {', '.join(SCENES)}")
    return [SCENES[name](np.random.default_rng([SEED, zlib.crc32(name.encode())])) for name in wanted]


def steady(rng: Rng) -> Scene:
    """People who walk through the picture or stand in it: what every method should manage."""
    times_s, end_s = even_times()
    return _scene(rng, "steady", [pacing(rng, times_s, rng.uniform(40, 130)) for _ in range(6)], times_s, end_s)


def occlusion(rng: Rng) -> Scene:
    """Behind posts, the detector sees nothing and a viewer a part; behind walls, nobody sees anything."""
    times_s, end_s = even_times()
    lives = []
    for _ in range(6):
        life = pacing(rng, times_s, rng.uniform(40, 110))
        starts_s = np.arange(1.5, 13.0, 2.9) + rng.uniform(0, 0.6)
        for number, start_s in enumerate(starts_s.tolist()):
            gone = number % 2 == 1
            stop_s = start_s + rng.uniform(*(GONE_S if gone else HIDDEN_S))
            life = life.capped(between(times_s, start_s, stop_s), 0.0, 0.0 if gone else HIDDEN_VISIBLE)
        lives.append(life)
    return _scene(rng, "occlusion", lives, times_s, end_s)


def score_dips(rng: Rng) -> Scene:
    """Scores fall below the threshold or the floor for some frames, while nothing changes in the picture."""
    times_s, end_s = even_times()
    lives = []
    for _ in range(6):
        life = pacing(rng, times_s, rng.uniform(40, 110))
        for start in range(30, len(times_s) - 30, 55):
            first = start + int(rng.integers(0, 15))
            length = int(rng.integers(DIP_FRAMES[0], DIP_FRAMES[1] + 1))
            life = life.capped(np.arange(first, first + length), float(rng.choice(DIP_CAPS)))
        lives.append(life)
    return _scene(rng, "score_dips", lives, times_s, end_s)


def births(rng: Rng) -> Scene:
    """Objects that the detector sees only after a while: they come near from afar, or turn to the camera."""
    times_s, end_s = even_times()
    return _scene(rng, "births", [_born(rng, times_s, number) for number in range(10)], times_s, end_s)


def deaths(rng: Rng) -> Scene:
    """Births, backwards: objects that the detector loses before they are gone."""
    times_s, end_s = even_times()
    last = len(times_s) - 1
    lives = [
        Life(last - b.frames[::-1], b.xyxy[::-1], b.unhidden[::-1], b.caps[::-1], b.label)
        for b in (_born(rng, times_s, number) for number in range(10))
    ]
    return _scene(rng, "deaths", lives, times_s, end_s)


def edges(rng: Rng) -> Scene:
    """In over each edge of the picture and out over the opposite one, small and large, slow and fast."""
    times_s, end_s = even_times(length_s=20.0)
    lives = []
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        for height in EDGE_HEIGHTS_PX:
            label = PLATE if height == EDGE_HEIGHTS_PX[1] else FACE
            reach = (np.array((WIDTH, HEIGHT)) + height * np.array((ASPECTS[label], 1.0))) / 2
            across = rng.uniform(-0.45, 0.45) * (HEIGHT - height) * np.array((abs(dy), abs(dx)))
            start_s, speed = rng.uniform(0, 11), rng.uniform(150, 500)
            frames = between(times_s, start_s, start_s + 2 * float(reach @ (abs(dx), abs(dy))) / speed)
            along = speed * (times_s[frames] - start_s) - reach @ (abs(dx), abs(dy))
            centres = np.array((WIDTH, HEIGHT)) / 2 + across + along[:, None] * np.array((dx, dy))
            lives.append(live(frames, centres, np.full(len(frames), height), ASPECTS[label], label))
    return _scene(rng, "edges", lives, times_s, end_s)


def cuts(rng: Rng) -> Scene:
    """Four shots; nobody is seen on both sides of a cut, but often somebody where another one was."""
    times_s, end_s = even_times()
    bounds = [0.0, *CUTS_S, end_s]
    shots = np.searchsorted(CUTS_S, times_s, side="right").astype(np.int32)
    lives: list[Life] = []
    for start_s, stop_s in pairwise(bounds):
        frames = between(times_s, start_s, stop_s)
        fresh = [pacing(rng, times_s, rng.uniform(30, 150), frames) for _ in range(4)]
        if lives:
            # Somebody else, at the place of the one who was there in the last frame of the shot before.
            x1, y1, x2, y2 = lives[-1].xyxy[-1].tolist()
            centres = np.array(((x1 + x2) / 2, (y1 + y2) / 2)) + np.linspace((5, 5), (60, 20), len(frames))
            fresh.append(live(frames, centres, np.full(len(frames), (y2 - y1) * 1.1), ASPECTS[FACE], FACE))
        for life in fresh:
            lives.append(life.capped(frames[: rng.integers(*CUT_BLIND_FRAMES)], 0.0))
    return _scene(rng, "cuts", lives, times_s, end_s, shots)


def pan(rng: Rng) -> Scene:
    """The camera pans to and fro: everything moves together, leaves the picture and comes back."""
    times_s, end_s = even_times()
    steps: list[float] = []
    direction = 1.0
    while len(steps) < len(times_s):
        steps += [direction * rng.uniform(*PAN_PX)] * int(rng.integers(25, 60))
        direction = -direction
    camera = np.cumsum(steps[: len(times_s)])
    lives = []
    for number in range(14):
        label = PLATE if number % 3 == 0 else FACE
        height = rng.uniform(20, 40) if label == PLATE else rng.uniform(30, 100)
        life = pacing(rng, times_s, height, label=label, swing_px=20)
        shift = np.stack((rng.uniform(-WIDTH, WIDTH) - camera, np.zeros(len(times_s))), axis=1)
        lives.append(Life(life.frames, life.xyxy + np.tile(shift, 2), life.unhidden, life.caps, label))
    return _scene(rng, "pan", lives, times_s, end_s)


def crowd(rng: Rng) -> Scene:
    """Many people who cross, each hidden by those who are nearer (larger)."""
    times_s, end_s = even_times()
    frames = np.arange(len(times_s))
    lives = []
    for height in np.sort(rng.uniform(30, 80, N_CROWD))[::-1].tolist():
        speed = rng.choice((-1, 1)) * rng.uniform(50, 130)
        middle = np.array((rng.uniform(0, WIDTH), rng.uniform(200, 520)))
        path = np.stack((speed * (times_s - end_s / 2), 8 * np.sin(times_s * 4 + height)), axis=1)
        lives.append(live(frames, middle + path, np.full(len(frames), height), ASPECTS[FACE], FACE))
    return _scene(rng, "crowd", stand_in_front(lives), times_s, end_s)


def fast_5fps(rng: Rng) -> Scene:
    """Fast objects at 5 frames a second: the boxes of neighbouring frames hardly touch."""
    times_s, end_s = even_times(fps=5.0)
    return _scene(rng, "fast_5fps", [crossing(rng, times_s, (200, 500)) for _ in range(14)], times_s, end_s)


def fps_120(rng: Rng) -> Scene:
    """120 frames a second: a miss of a given time is many frames."""
    times_s, end_s = even_times(fps=120.0, length_s=10.0)
    return _scene(rng, "fps_120", [pacing(rng, times_s, rng.uniform(25, 120)) for _ in range(6)], times_s, end_s)


def variable_rate(rng: Rng) -> Scene:
    """A frame rate that changes, with frames that freeze: seconds and frames are not the same thing."""
    parts = []
    start_s = 0.0
    for fps, length_s in VARIABLE_RATE:
        parts.append(start_s + (np.arange(round(fps * length_s)) / fps if fps else np.zeros(1)))
        start_s += length_s
    times_s = np.concatenate(parts)
    lives = [pacing(rng, times_s, rng.uniform(30, 110)) for _ in range(4)]
    lives += [crossing(rng, times_s, (80, 250)) for _ in range(8)]
    return _scene(rng, "variable_rate", lives, times_s, start_s)


def fades(rng: Rng) -> Scene:
    """The light goes and comes back: the detector is blind in the dark, but who brightens the picture is not."""
    times_s, end_s = even_times()
    knots_s = [s + d for s in FADES_S for d in (0, FADE_S, FADE_S + DARK_S, 2 * FADE_S + DARK_S)]
    luma = np.interp(times_s, knots_s, [LUMA, DARK, DARK, LUMA] * len(FADES_S))
    lives = []
    for _ in range(6):
        life = pacing(rng, times_s, rng.uniform(40, 120))
        lives.append(Life(life.frames, life.xyxy, life.unhidden, np.clip(3 * (luma - 0.1), 0, 1), life.label))
    return _scene(rng, "fades", lives, times_s, end_s, luma=luma)


SCENES: dict[str, Callable[[Rng], Scene]] = {
    make.__name__: make
    for make in (
        steady,
        occlusion,
        score_dips,
        births,
        deaths,
        edges,
        cuts,
        pan,
        crowd,
        fast_5fps,
        fps_120,
        variable_rate,
        fades,
    )
}


def _scene(
    rng: Rng,
    name: str,
    lives: Sequence[Life],
    times_s: Times,
    end_s: float,
    shots: NDArray[np.int32] | None = None,
    luma: Reals | None = None,
) -> Scene:
    """The lives as a scene; one shot in even light, unless said. Each shot has a light of its own."""
    truth = truth_of(lives, times_s, end_s, WIDTH, HEIGHT)
    shots = np.zeros(len(times_s), np.int32) if shots is None else shots
    if luma is None:
        luma = LUMA + rng.uniform(-0.2, 0.2, int(shots.max()) + 1)[shots]
    light = np.clip(luma + LUMA_NOISE * rng.standard_normal(len(times_s)), 0, 1).astype(np.float32)
    return Scene(name, truth, detections_of(rng, lives, truth, len(LABELS)), shots, light, LABELS)


def _born(rng: Rng, times_s: Times, number: int) -> Life:
    """Somebody who appears: every other one far off, growing for seconds, the rest at once and near."""
    start_s = 0.5 + 1.1 * number + rng.uniform(0, 0.5)
    frames = between(times_s, start_s, start_s + rng.uniform(2.5, 4.5))
    life = pacing(rng, times_s, rng.uniform(50, 100), frames, swing_px=80)
    if number % 2 == 0:
        centres = (life.xyxy[:, :2] + life.xyxy[:, 2:]) / 2
        heights = rng.uniform(11, 16) * np.exp(np.minimum(times_s[frames] - start_s, 2.0) * np.log(5) / 2)
        life = live(frames, centres, heights, ASPECTS[FACE], FACE)
    n_blind = int(rng.integers(BLIND_FRAMES[0], BLIND_FRAMES[1] + 1))
    n_weak = int(rng.integers(WEAK_FRAMES[0], WEAK_FRAMES[1] + 1))
    return life.capped(frames[: n_blind + n_weak], WEAK_CAP).capped(frames[:n_blind], 0.0)
