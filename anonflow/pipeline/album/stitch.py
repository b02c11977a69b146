"""stitch for an album: what is detected is hidden; there is no time before and after that could say more."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import numpy as np

from anonflow.config import AnonymizeConfig
from anonflow.errors import InternalError
from anonflow.pipeline.album.album import Album
from anonflow.pipeline.album.detect import Found, read_found
from anonflow.pipeline.album.members import Member
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Row
from anonflow.pipeline.timing import Stopwatch
from anonflow.tables import write_rows
from anonflow.track.configured import grading, margins, operators
from anonflow.track.grade import grade
from anonflow.track.operators import TrackFacts, View
from anonflow.track.rules import ExtendAtEdge, PlateContext
from anonflow.track.stabilise import mask_plan, stabilise
from anonflow.track.timeline import Timeline
from anonflow.types import MaskPlan, Origin, Tracks

_MOMENT = Timeline.of(np.zeros(1, np.int64), Fraction(1), 1, np.zeros(1, np.bool_))
_RULES_OF_ONE_PICTURE = (ExtendAtEdge, PlateContext)


def stitch_album(row: Row, context: RunContext) -> list[Row]:
    """Write the mask plan of all pictures that are left."""
    album = Album(row, "stitch", context)
    watch = Stopwatch()
    plans: list[MaskPlan] = []
    objects: dict[str, dict[str, int]] = {}
    with album.together():
        found = read_found(row, context)
        for member in album.left():
            album.attempt(member, partial(_plan, member, found, context.config, plans, objects))
        note = {"objects": objects, **watch.read()}
        write_rows(context.paths.mask_plan(row.video_id), MaskPlan.concat(plans), note)
    return album.leave()


def _plan(
    member: Member,
    found: Found,
    config: AnonymizeConfig,
    plans: list[MaskPlan],
    objects: dict[str, dict[str, int]],
) -> None:
    position = member.position
    if position not in found.facts.frames:
        raise InternalError(f"{member.source.uri}: no detector has looked at it. Run again.")
    width, height = found.sizes[str(position)]
    tracks = _tracks(found, position, config, width, height)
    view = View(_MOMENT, width, height, TrackFacts.of(tracks, _MOMENT))
    steps = [step for step in operators(config) if isinstance(step, _RULES_OF_ONE_PICTURE)]
    hidden = mask_plan(stabilise(tracks, steps, view, 0, 1), margins(config), width, height)
    plans.append(MaskPlan(np.full(len(hidden), position, np.int64), hidden.xyxy, hidden.labels))
    objects[str(position)] = dict(_objects(tracks, config.labels))


def _tracks(found: Found, position: int, config: AnonymizeConfig, width: int, height: int) -> Tracks:
    """The detections that would start a track, each a track of one point."""
    boxes = found.detections.between(position, position + 1)
    seen = grade(boxes, found.facts, grading(config), width, height)
    seen = seen[seen.high]
    n = len(seen)
    origins = np.full(n, Origin.DETECTED, np.uint8)
    return Tracks(np.zeros(n, np.int64), np.arange(n), seen.xyxy, seen.scores, seen.labels, origins)


def _objects(tracks: Tracks, labels: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    for code, label in enumerate(labels):
        yield label, int((tracks.labels == code).sum())
