"""What is calibrated on: videos with their truth and low-floor detections, and what a setting leaks of each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from anonflow.calibrate.bounds import Reals
from anonflow.config import HidingConfig
from anonflow.evaluate.exposure import exposure, over_mask_areas
from anonflow.evaluate.methods import hidden_points
from anonflow.evaluate.replay import replayed, with_threshold
from anonflow.evaluate.truth import Scene, Truth
from anonflow.track.configured import margins
from anonflow.track.stabilise import mask_plan
from anonflow.types import MaskPlan


@dataclass(frozen=True, eq=False)
class Unit:
    """One video, the unit of everything that is said with confidence. A picture is a video of one frame."""

    name: str
    group: str
    """Units of one group (camera, recording) are never on both sides of a split."""
    scene: Scene
    is_video: bool = True


@dataclass(frozen=True, eq=False)
class Leaks:
    """What one setting leaks of each unit, all (n_units,)."""

    object_frames: Reals
    leak_rate: Reals
    """Share of the object-frames that leak; 0 without objects."""
    leaked_object_share: Reals
    """Share of the objects that leak in one frame at least."""
    leaking_s: Reals
    leaked_objects: Reals
    over_mask_share: Reals
    """Mean share of the picture that is hidden in vain."""
    duration_s: Reals

    def __len__(self) -> int:
        return len(self.object_frames)

    def of(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Leaks:
        """Those of some units."""
        return Leaks(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True)
class Judge:
    """How units are judged: what of them counts, and when it leaks."""

    labels: tuple[str, ...]
    covered_share: float
    min_visible: float = 0.0


def at_setting(config: HidingConfig, labels: Sequence[str], threshold: float, margin: float) -> HidingConfig:
    """The configuration with this threshold and this margin for these labels; all else is as it was."""
    for label in labels:
        config = with_threshold(config, label, threshold)
    styles = {n: replace(style, margin=margin) if n in labels else style for n, style in config.mask.items()}
    return replace(config, mask=styles)


def measure(
    units: Sequence[Unit], config: HidingConfig, threshold: float, grid: Sequence[float], judge: Judge
) -> list[Leaks]:
    """What a run with this threshold would leak of each unit, at each margin of the `grid`.

    Detections are tracked, stabilised and planned anew by the code of a run. Raises ConfigError for a tracker that
    needs pictures and for labels that are not configured.
    """
    settings = [at_setting(config, judge.labels, threshold, margin) for margin in grid]
    rows = [[_leaks(unit, plan, judge) for plan in _plans(unit, settings)] for unit in units]
    names = [f.name for f in fields(Leaks)]
    return [
        Leaks(**{name: np.array([of_unit[place][n] for of_unit in rows]) for n, name in enumerate(names)})
        for place in range(len(settings))
    ]


def content_sha256(units: Sequence[Unit]) -> str:
    """SHA-256 of all truth and detections, whatever the units' order: names the calibration set."""
    digests = sorted(_unit_sha256(unit) for unit in units)
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _plans(unit: Unit, settings: Sequence[HidingConfig]) -> list[MaskPlan]:
    if not unit.is_video:
        return [replayed(unit.scene, config, is_video=False) for config in settings]
    scene = unit.scene
    hidden = hidden_points(scene, settings[0])  # margins change nothing before the plan
    return [mask_plan(hidden, margins(config), scene.width, scene.height) for config in settings]


def _leaks(unit: Unit, plan: MaskPlan, judge: Judge) -> tuple[float, ...]:
    """The values of `Leaks` for one unit."""
    truth = unit.scene.truth
    codes = [code for code, label in enumerate(unit.scene.labels) if label in judge.labels]
    found = exposure(_rows_of(truth, codes), plan, judge.covered_share, judge.min_visible)
    own = plan[np.flatnonzero(np.isin(plan.labels, codes))]
    in_vain = over_mask_areas(truth, own).sum() / (truth.width * truth.height * truth.n_frames)
    return (
        float(found.object_frames),
        found.leak_share,
        found.leaked_object_share,
        found.leaking_s,
        float(found.leaked_objects),
        float(in_vain),
        float(truth.durations_s.sum()),
    )


def _rows_of(truth: Truth, codes: Sequence[int]) -> Truth:
    rows = np.flatnonzero(np.isin(truth.labels, codes))
    columns = {name: getattr(truth, name)[rows] for name in ("frames", "object_ids", "xyxy", "labels", "visible")}
    return replace(truth, **columns)


def _unit_sha256(unit: Unit) -> str:
    scene, truth = unit.scene, unit.scene.truth
    found = scene.detections
    digest = hashlib.sha256(f"{scene.labels}{truth.width}x{truth.height}".encode())
    for column in (
        *(truth.frames, truth.object_ids, truth.xyxy, truth.labels, truth.visible, truth.times_s),
        *(found.frames, found.xyxy, found.scores, found.labels, scene.shots, scene.luma),
    ):
        digest.update(str((column.dtype.str, column.shape)).encode())
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()
