from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from anonflow.config import AnonymizeConfig
from anonflow.errors import ConfigError
from anonflow.evaluate import methods as module
from anonflow.evaluate.exposure import exposure
from anonflow.evaluate.methods import ladder
from anonflow.evaluate.scenes import suite
from anonflow.evaluate.truth import Scene
from anonflow.track.tracker import one_pass
from anonflow.types import Detections
from tests.evaluate.rectangles import make_truth
from tests.pipeline.worlds import configuration

CONFIG = configuration(
    "stabilise.extend_before_s=0.3",
    "stabilise.extend_after_s=0.2",
    "stabilise.smooth_sigma_s=0",
    "adaptive.enabled=false",
)


def scene_of(rows: Any, n_frames: int = 40) -> Scene:
    """Detections (frame, score) of one box that stands still, at ten frames a second."""
    frames = np.array([frame for frame, _ in rows], np.int64)
    boxes = np.tile(np.array((40, 40, 60, 60), np.float32), (len(rows), 1))
    scores = np.array([score for _, score in rows], np.float32)
    found = Detections(frames, boxes, scores, np.zeros(len(rows), np.int16))
    truth = make_truth([], np.arange(n_frames) / 10, n_frames / 10)
    return Scene("still", truth, found, np.zeros(n_frames, np.int32), np.ones(n_frames, np.float32), ("face",))


SCENE = scene_of([(8, 0.12), (10, 0.9), (11, 0.15), (12, 0.04), (15, 0.9), (30, 0.2)])


@pytest.mark.parametrize(
    ("method", "frames", "side"),
    [
        ("detections only", [10, 15, 30], 20),
        ("detections + margin", [10, 15, 30], 28),
        ("ids only", [10, 11, 15, 30], 20),
        ("+ margin", [10, 11, 15, 30], 28),
        ("+ reverse", [8, 10, 11, 15, 30], 28),
        ("+ fill gaps", [*range(8, 16), 30], 28),
        ("+ extend ends", [*range(5, 18), *range(27, 33)], 28),
    ],
)
def test_each_method_adds_its_step(method: str, frames: Any, side: Any) -> None:
    """A track ends after a second without a detection, so the last box is on its own."""
    plan = ladder(CONFIG)[method](SCENE)
    assert plan.frames.tolist() == frames
    assert plan.xyxy[:, 2] - plan.xyxy[:, 0] == pytest.approx(side)


def test_there_is_a_method_for_each_step_that_is_on() -> None:
    assert list(ladder(CONFIG))[-3:] == ["+ bridge neighbours", "+ extend ends", "+ extend at edge"]
    less = configuration("stabilise.reverse.enabled=false", "rules.extend_at_edge.enabled=false")
    assert list(ladder(less))[3:] == ["+ margin", "+ fill gaps", "+ bridge neighbours", "+ extend ends", "+ smooth"]


@pytest.mark.parametrize("name", ["births", "fast_5fps", "variable_rate"])
def test_each_step_leaks_no_more_and_masks_no_less(name: str) -> None:
    (scene,) = suite([name])
    found = [exposure(scene.truth, method(scene)) for method in ladder(configuration()).values()]
    leaking = [e.leaking_frames for e in found[3:]]
    masked = [e.over_mask_share for e in found[3:]]
    assert leaking == sorted(leaking, reverse=True) and masked == sorted(masked)
    assert found[0].leaking_frames > 3 * found[-1].leaking_frames


def leaking_frames(config: AnonymizeConfig, names: list[str]) -> int:
    method = list(ladder(config).values())[-1]
    return sum(exposure(scene.truth, method(scene)).leaking_frames for scene in suite(names))


def test_policies_leak_in_the_order_of_their_names() -> None:
    policies = [configuration(f"policy={p}") for p in ("recall_first", "balanced", "precision_first")]
    leaks = [leaking_frames(policy, ["births", "edges", "fades"]) for policy in policies]
    assert leaks == sorted(leaks) and leaks[0] < leaks[-1]


def test_lower_thresholds_in_the_dark_leak_less() -> None:
    assert leaking_frames(configuration(), ["fades"]) < leaking_frames(CONFIG, ["fades"])


def test_methods_keep_nothing_of_another_scene() -> None:
    other = scene_of([(5, 0.9)])
    methods = ladder(CONFIG)
    fresh = {name: method(other) for name, method in ladder(CONFIG).items()}
    for name, method in methods.items():
        method(SCENE)
        assert method(other).equals(fresh[name])


def test_a_scene_is_tracked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(module, "one_pass", lambda *args: calls.append(1) or one_pass(*args))
    for method in ladder(CONFIG).values():
        method(SCENE)
    assert len(calls) == 1


def test_labels_are_matched_by_name() -> None:
    """The scene calls plates 0, the configuration calls them 1."""
    plates = replace(SCENE, labels=("plate",))
    assert set(ladder(CONFIG)["ids only"](plates).labels.tolist()) == {1}


def test_a_label_without_a_detector_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"'still'.*'person'"):
        ladder(CONFIG)["ids only"](replace(SCENE, labels=("person",)))


def test_a_tracker_that_needs_pictures_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="pictures"):
        ladder(configuration("tracker=deepsort"))
