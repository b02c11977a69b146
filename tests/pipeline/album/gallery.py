"""Albums in a world: pictures in its input folder, and a run over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from anonflow.pipeline.album.members import first_row, units
from anonflow.pipeline.album.stages import Detect, join, mask, plan, stitch
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.sources import list_sources
from anonflow.types import Boxes, Picture
from tests.pictures import encoded, scene
from tests.pipeline.worlds import FixedDetector, World, outcome_of


class SizeDetector(FixedDetector):
    """Sees a box that depends on the picture alone; fails at pictures of one size."""

    fails_at: tuple[int, int] | None = None
    batches: list[int]

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """The left upper quarter."""
        self.batches = [*getattr(self, "batches", []), len(pictures)]
        assert len({picture.shape for picture in pictures}) == 1, "one batch, one shape"
        if pictures[0].shape[:2] == self.fails_at:
            raise ValueError("no pictures of this size")
        sides = [np.array([[0, 0, p.shape[1] / 2, p.shape[0] / 2]], np.float32) for p in pictures]
        return [Boxes(box, np.ones(1, np.float32), np.zeros(1, np.int16)) for box in sides]


def add(world: World, name: str, data: bytes | None = None) -> Path:
    """A picture in the input folder; a JPEG unless `data` says otherwise."""
    path = world.root / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(scene(), "JPEG") if data is None else data)
    return path


def rows_of(world: World, context: RunContext) -> list[Row]:
    """The first rows of the graph."""
    sources = list_sources(world.config.input, world.output, world.config.source).sources
    return [first_row(unit, context) for unit in units(sources, context)]


def album_of(world: World, context: RunContext) -> Row:
    """The only album of the world."""
    (row,) = rows_of(world, context)
    return row


def going_on(rows: list[Row]) -> Row:
    """The album's row among the rows that a stage gave."""
    (row,) = [row for row in rows if row.is_album]
    return row


def run(world: World, run_id: str = "run1") -> dict[str, Outcome]:
    """All stages over all sources; the outcomes by file name."""
    context = world.context(run_id)
    return run_rows(rows_of(world, context), context)


def run_rows(rows: Sequence[Row], context: RunContext) -> dict[str, Outcome]:
    """All stages over these rows; the outcomes by file name."""
    rows = [made for row in rows for made in plan(row, context)]
    detect = Detect(context)
    rows = [made for row in rows for made in detect(row)]
    rows = [made for row in rows for made in stitch(row, context)]
    masked = [mask(row, context) for row in rows]
    rows = [made for given in masked for made in (given if isinstance(given, list) else [given])]
    rows = [made for row in rows for made in join(row, context)]
    outcomes = [outcome_of(row) for row in rows]
    found = {outcome.uri.rpartition("/")[2]: outcome for outcome in outcomes}
    assert len(found) == len(outcomes), "a source ended twice"
    return found


def with_config(world: World, **changes: object) -> World:
    """The same world under another configuration."""
    return replace(world, config=replace(world.config, **changes))
