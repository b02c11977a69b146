"""Ground truth beside what the pipeline made of it: one case for each picture and video."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from anonflow.config import AnonymizeConfig
from anonflow.evaluate.case import Case, Sight, make_case
from anonflow.evaluate.ground import GroundTruth
from anonflow.evaluate.truth import Clock
from anonflow.pipeline.planned import Planned, plan_masks
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.speed import speed


@dataclass(frozen=True, eq=False)
class Cases:
    """What can be judged, what could not be read, and how fast it went."""

    cases: tuple[Case, ...]
    failed: tuple[Outcome, ...]
    speed: Any


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
    measured = speed(
        [p.seconds for p in planned], [p.latency for p in planned], sum(len(p.times_s) for p in planned), wall_s
    )
    return Cases(tuple(_cases(truth, planned, min_visible)), tuple(failed), measured)


def _cases(truth: GroundTruth, planned: Iterable[Planned], min_visible: float) -> Iterable[Case]:
    by_path = {item.path.absolute(): position for position, item in enumerate(truth.items)}
    for made in sorted(planned, key=lambda p: by_path[Path(p.source.uri)]):
        position = by_path[Path(made.source.uri)]
        sight = Sight(
            item_id=made.source.video_id,
            is_video=made.is_video,
            width=made.width,
            height=made.height,
            shown=made.shown,
            times_s=made.times_s,
            end_s=made.end_s,
            detections=made.detections,
            facts=made.facts,
            tracks=made.tracks,
            plan=made.plan,
            to_stored=made.to_stored,
            clock=Clock(made.index.pts, made.index.time_base, made.index.end_pts) if made.index else None,
        )
        objects = truth.objects.of_item(position)
        yield make_case(truth.items[position], objects, sight, truth.labels, min_visible)
