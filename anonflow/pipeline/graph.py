"""The dataflow, top to bottom.

    sources -> plan -> detect -> stitch -> mask -> join -> outcomes

`plan` gives a row for each chunk. `stitch` and `join` give rows only for the chunk that completes its video, so
a video goes on as soon as its own last chunk has arrived and no stage waits for another video. Rows carry names;
what a stage makes is on disk under names that follow from the row. A stage never raises: failures are written
down, and the video ends in quarantine at the next fan-in. Pictures go in albums: a row for many, and at the stage
where a picture ends, a row of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pyarrow as pa
import ray
from ray.data import Dataset

from anonflow.pipeline.album.members import first_rows
from anonflow.pipeline.album.stages import Detect, join, mask, plan, stitch
from anonflow.pipeline.cluster import Resources
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Outcome, Row, from_table, to_table
from anonflow.types import Source


def build(sources: Sequence[Source], context: RunContext, on: Resources) -> Dataset:
    """The pipeline over `sources`, not yet started."""
    return (
        build_plans(sources, context, on)
        .repartition(target_num_rows_per_block=1)
        .map_batches(rows(mask, context), **on.mask)
        .map_batches(rows(join, context), **on.join)
    )


def build_plans(sources: Sequence[Source], context: RunContext, on: Resources) -> Dataset:
    """The part of the pipeline that decides what to hide: rows of chunks whose mask plans are on disk."""
    return (
        ray.data.from_arrow(to_table(first_rows(sources, context)))
        .repartition(target_num_rows_per_block=1)
        .map_batches(rows(plan, context), **on.plan)
        .repartition(target_num_rows_per_block=1)
        .map_batches(DetectRows, fn_constructor_args=[context], **on.detect)
        .map_batches(rows(stitch, context), **on.stitch)
    )


def rows(
    stage: Callable[[Row, RunContext], Row | list[Row]], context: RunContext
) -> Callable[[pa.Table], pa.Table]:
    """A stage as Ray Data calls it: tables in, tables out."""
    return partial(_apply, stage, context)


class DetectRows:
    """The detect stage as an actor."""

    def __init__(self, context: RunContext) -> None:
        """Hold the models of one actor."""
        self._detect = Detect(context)

    def __call__(self, table: pa.Table) -> pa.Table:
        """Detect in the table's chunks."""
        return _made(self._detect, table)


def outcomes(dataset: Dataset) -> Iterator[Outcome]:
    """Run the pipeline; give each source's outcome as it ends."""
    for row in rows_of(dataset):
        yield Outcome.from_json(json.loads(row.outcome))


def rows_of(dataset: Dataset) -> Iterator[Row]:
    """Run the pipeline; give each row that comes out of it."""
    for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        yield from from_table(table)


def _apply(stage: Callable[[Row, RunContext], Row | list[Row]], context: RunContext, table: pa.Table) -> pa.Table:
    return _made(lambda row: stage(row, context), table)


def _made(stage: Callable[[Row], Row | list[Row]], table: pa.Table) -> pa.Table:
    made: list[Row] = []
    for row in from_table(table):
        given = stage(row)
        made.extend(given if isinstance(given, list) else [given])
    return to_table(made)
