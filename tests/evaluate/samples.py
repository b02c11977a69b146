"""Cases to judge: synthetic videos with what a run would hide of them, and pictures drawn by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hydra import compose, initialize_config_module

from anonflow.config import HidingConfig
from anonflow.evaluate.case import Case
from anonflow.evaluate.ground import Item
from anonflow.evaluate.methods import hidden_points
from anonflow.evaluate.replay import replayed
from anonflow.evaluate.scenes import suite
from anonflow.evaluate.truth import Scene, Truth
from anonflow.jobs.launch import typed
from anonflow.jobs.leaks import LeaksConfig
from anonflow.types import Detections, MaskPlan, Origin, Tracks

LABELS = ("face", "plate")


@cache
def hiding(*overrides: str) -> HidingConfig:
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        config: HidingConfig = typed(compose("leaks", overrides=list(overrides)), LeaksConfig)
    return config


@cache
def video(name: str = "occlusion") -> Case:
    """A synthetic scene with the plan and the tracks of a run."""
    (scene,) = suite([name])
    config = hiding()
    scene = relabelled(scene)
    tracks = hidden_points(scene, config)
    tracks = tracks[np.flatnonzero(tracks.origins <= Origin.LOW)]
    n = len(scene.truth)
    return Case(
        item=Item(Path(f"{name}.mp4"), Path("gt.txt"), "cam1"),
        item_id=name,
        is_video=True,
        scene=scene,
        ignored=scene.truth.visible <= 0,
        crowd=np.zeros(n, np.bool_),
        areas=np.prod(scene.truth.xyxy[:, 2:] - scene.truth.xyxy[:, :2], axis=1).astype(np.float64),
        attributes={},
        tracks=first_of_each(tracks),
        plan=replayed(scene, config, is_video=True),
    )


def first_of_each(tracks: Tracks) -> Tracks:
    """One point for each track and frame."""
    pairs = np.stack((tracks.frames, tracks.track_ids), axis=1)
    return tracks[np.sort(np.unique(pairs, axis=0, return_index=True)[1])]


def relabelled(scene: Scene) -> Scene:
    """With the codes of `LABELS`."""
    codes = np.array([LABELS.index(label) for label in scene.labels])
    truth = replace(scene.truth, labels=codes[scene.truth.labels].astype(np.int16))
    found = replace(scene.detections, labels=codes[scene.detections.labels].astype(np.int16))
    return replace(scene, truth=truth, detections=found, labels=LABELS)


def picture(
    boxes: Any, found: Any = (), masks: Any = (), scores: Any = None, item_id: str = "p", **columns: Any
) -> Case:
    """A picture of 100x100 px with faces, what was found of them, and what is hidden."""
    xyxy, seen, hidden = (np.array(b, np.float32).reshape(-1, 4) for b in (boxes, found, masks))
    n = len(xyxy)
    ignored = np.array(columns.pop("ignored", np.zeros(n)), np.bool_)
    truth = Truth(
        frames=np.zeros(n, np.int64),
        object_ids=np.arange(n),
        xyxy=xyxy,
        labels=np.zeros(n, np.int16),
        visible=np.where(ignored, 0, 1).astype(np.float32),
        times_s=np.zeros(1),
        end_s=1.0,
        width=100,
        height=100,
    )
    scores = np.full(len(seen), 0.9) if scores is None else np.array(scores)
    detections = Detections(
        np.zeros(len(seen), np.int64), seen, scores.astype(np.float32), np.zeros(len(seen), np.int16)
    )
    luma = np.full(1, columns.pop("luma", 0.5), np.float32)
    scene = Scene(item_id, truth, detections, np.zeros(1, np.int32), luma, LABELS)
    words = {name: np.array([*values, ""], np.object_)[:-1] for name, values in columns.items()}
    return Case(
        Item(Path(f"{item_id}.jpg"), Path("a.json"), "cam"),
        item_id,
        False,
        scene,
        ignored,
        np.zeros(n, np.bool_),
        np.prod(xyxy[:, 2:] - xyxy[:, :2], axis=1).astype(np.float64),
        words,
        Tracks.empty(),
        MaskPlan(np.zeros(len(hidden), np.int64), hidden, np.zeros(len(hidden), np.int16)),
    )
