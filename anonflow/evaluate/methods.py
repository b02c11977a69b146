"""The ladder of methods: from a mask per detection to the whole of tracking and stabilisation, a step at a time.

Everything that evaluation knows of `anonflow.track` is here. The steps are those that the configuration turns on,
so a new operator has its rung without being named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from anonflow.config import HidingConfig
from anonflow.errors import ConfigError
from anonflow.evaluate.benchmark import Method
from anonflow.evaluate.truth import Scene
from anonflow.track.association import UNTRACKED
from anonflow.track.configured import grading, margins, operators, tracker_params
from anonflow.track.grade import grade
from anonflow.track.operators import TrackFacts, View
from anonflow.track.reverse import prolong_backwards, unclaimed_by
from anonflow.track.stabilise import mask_plan, stabilise
from anonflow.track.timeline import Timeline
from anonflow.track.tracker import one_pass, points
from anonflow.types import FrameFacts, IntArray, MaskPlan, Observations, Tracks


@dataclass(frozen=True, eq=False)
class _Tracked:
    """A scene as the tracker sees it, its tracks, and the tracks with their weak beginnings."""

    scene: Scene
    seen: Observations
    timeline: Timeline
    forward: Tracks
    tracks: Tracks


def ladder(config: HidingConfig) -> dict[str, Method]:
    """All methods, the simplest first; the last is what a run does.

    Raises ConfigError for a tracker that needs pictures. Each method raises ConfigError for a scene with a label
    that is not configured.
    """
    if config.tracker.appearance:
        raise ConfigError("tracker.appearance needs pictures, which scenes do not have; choose another tracker")
    tracked = _LastScene(config)
    rungs: dict[str, tuple[Callable[[_Tracked], Tracks], bool]] = {
        # The margin comes first: without it most boxes leak a little at their edges, and no other step can be seen.
        "detections only": (_strong, False),
        "detections + margin": (_strong, True),
        "ids only": (lambda case: case.forward, False),
        "+ margin": (lambda case: case.forward, True),
    }
    if config.stabilise.reverse.enabled:
        rungs["+ reverse"] = (lambda case: case.tracks, True)
    for n, step in enumerate(operators(config), start=1):
        rungs[f"+ {_words(step)}"] = (partial(_stabilised, config, n), True)
    return {name: _method(config, tracked, *rung) for name, rung in rungs.items()}


def hidden_points(scene: Scene, config: HidingConfig) -> Tracks:
    """All that a run hides of a video, margins aside: tracked, and with every step that is on.

    Raises ConfigError for a tracker that needs pictures, and for a label that is not configured.
    """
    if config.tracker.appearance:
        raise ConfigError("tracker.appearance needs pictures, which kept detections do not have; choose another")
    return _stabilised(config, len(operators(config)), _track(scene, config))


def _method(
    config: HidingConfig, tracked: _LastScene, step: Callable[[_Tracked], Tracks], with_margin: bool
) -> Method:
    shares = margins(config) if with_margin else [0.0] * len(config.labels)

    def method(scene: Scene) -> MaskPlan:
        return mask_plan(step(tracked.of(scene)), shares, scene.width, scene.height)

    return method


def _strong(case: _Tracked) -> Tracks:
    """Every detection that is hidden by itself."""
    strong = case.seen[case.seen.high]
    return points(strong, np.full(len(strong), UNTRACKED + 1))


def _stabilised(config: HidingConfig, n_steps: int, case: _Tracked) -> Tracks:
    view = View(case.timeline, case.scene.width, case.scene.height, TrackFacts.of(case.tracks, case.timeline))
    return stabilise(case.tracks, operators(config)[:n_steps], view, 0, case.scene.n_frames)


class _LastScene:
    """Tracks a scene once for all methods that ask for it in a row."""

    def __init__(self, config: HidingConfig) -> None:
        self._config = config
        self._last: _Tracked | None = None

    def of(self, scene: Scene) -> _Tracked:
        if self._last is None or self._last.scene is not scene:
            self._last = _track(scene, self._config)
        return self._last


def _track(scene: Scene, config: HidingConfig) -> _Tracked:
    codes = _codes(scene, config)
    grades = grading(config)
    # As a detector reports them: nothing below its floor.
    floors = grades.lowest[codes[scene.detections.labels]]
    found = scene.detections[np.flatnonzero(scene.detections.scores >= floors)]
    found = replace(found, labels=codes[found.labels].astype(np.int16))
    cuts = np.diff(scene.shots, prepend=scene.shots[:1]) > 0
    facts = FrameFacts(np.arange(scene.n_frames), scene.luma, cuts)
    seen = grade(found, facts, grades, scene.width, scene.height)
    timeline = _timeline(scene, cuts)
    forward = tracks = one_pass(seen, timeline, tracker_params(config.tracker))
    reverse = config.stabilise.reverse
    if reverse.enabled:
        unclaimed = unclaimed_by(forward, seen)
        tracks = prolong_backwards(forward, unclaimed, timeline, reverse.buffer_s, reverse.match_iou)
    return _Tracked(scene, seen, timeline, forward, tracks)


def _timeline(scene: Scene, cuts: NDArray[np.bool_]) -> Timeline:
    if scene.clock is not None:
        return Timeline.of(scene.clock.pts, scene.clock.time_base, scene.clock.end_pts, cuts)
    return Timeline.at(scene.truth.times_s - scene.truth.times_s[0], scene.truth.end_s, cuts)


def _codes(scene: Scene, config: HidingConfig) -> IntArray:
    """The configuration's code of each of the scene's labels."""
    for label in scene.labels:
        if label not in config.labels:
            raise ConfigError(
                f"scene '{scene.name}' has objects of label '{label}', which no detector of this run gives; "
                "add one (detector=faces_plates has both of the synthetic scenes)"
            )
    return np.array([config.labels.index(label) for label in scene.labels])


def _words(operator: object) -> str:
    """`FillGaps` as `fill gaps`."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", type(operator).__name__).lower()
