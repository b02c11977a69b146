"""Ground truth beside what the pipeline made of it: one case for each picture and video."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from anonflow.config import AnonymizeConfig
from anonflow.evaluate.case import Case, make_case
from anonflow.evaluate.ground import GroundTruth
from anonflow.evaluate.sight import Sight
from anonflow.jobs.kept import kept_sights
from anonflow.pipeline.planned import Planned, plan_masks
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.speed import speed


@dataclass(frozen=True, eq=False)
class Cases:
    """What can be judged, what could not be read, and how fast it went."""

    cases: tuple[Case, ...]
    failed: tuple[Outcome, ...]
    speed: Any
    """None where nothing was run."""


def judged_cases(truth: GroundTruth, config: AnonymizeConfig, min_visible: float, console: Console) -> Cases:
    """Run the pipeline on all items of the ground truth, up to their masks."""
    started = time.monotonic()
    planned: list[Planned] = []
    failed: list[Outcome] = []
    for made in plan_masks(config, [item.path for item in truth.items], console):
        if isinstance(made, Outcome):
            failed.append(made)
        else:
            planned.append(made)
    wall_s = time.monotonic() - started
    n_frames = sum(len(p.sight.times_s) for p in planned)
    measured = speed([p.seconds for p in planned], [p.latency for p in planned], n_frames, wall_s)
    sights = ((Path(made.source.uri), made.sight) for made in planned)
    return Cases(_cases(truth, sights, min_visible), tuple(failed), measured)


def kept_cases(truth: GroundTruth, folder: Path, config: AnonymizeConfig, min_visible: float) -> Cases:
    """As `judged_cases`, from detections that an earlier run kept; nothing is detected, so nothing is timed."""
    sights = kept_sights([item.path for item in truth.items], folder, config)
    return Cases(_cases(truth, sights, min_visible), (), None)


def _cases(truth: GroundTruth, sights: Iterable[tuple[Path, Sight]], min_visible: float) -> tuple[Case, ...]:
    """In the order of the items."""
    by_path = {item.path.absolute(): position for position, item in enumerate(truth.items)}
    made = {by_path[path]: sight for path, sight in sights}
    return tuple(
        make_case(truth.items[n], truth.objects.of_item(n), made[n], truth.labels, min_visible)
        for n in sorted(made)
    )
