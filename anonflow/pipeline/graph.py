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

from anonflow.observe import logs
from anonflow.pipeline.album.members import first_rows
from anonflow.pipeline.album.stages import Detect, join, mask, plan, stitch
from anonflow.pipeline.cluster import Resources
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Outcome, Row, from_table, to_table
from anonflow.types import Source


def build(sources: Sequence[Source], context: RunContext, on: Resources) -> Dataset:
    """The pipeline over `sources`, not yet started."""
    return (
        ray.data.from_arrow(to_table(first_rows(sources, context)))
        .repartition(target_num_rows_per_block=1)
        .map_batches(rows(plan, context.at("plan")), **on.plan)
        .repartition(target_num_rows_per_block=1)
        .map_batches(DetectRows, fn_constructor_args=[context.at("detect")], **on.detect)
        .map_batches(rows(stitch, context.at("stitch")), **on.stitch)
        .repartition(target_num_rows_per_block=1)
        .map_batches(rows(mask, context.at("mask")), **on.mask)
        .map_batches(rows(join, context.at("join")), **on.join)
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
        _set_up_logs(context)
        self._detect = Detect(context)

    def __call__(self, table: pa.Table) -> pa.Table:
        """Detect in the table's chunks."""
        return _made(self._detect, table)


def outcomes(dataset: Dataset) -> Iterator[Outcome]:
    """Run the pipeline; give each source's outcome as it ends."""
    for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        for row in from_table(table):
            yield Outcome.from_json(json.loads(row.outcome))


def _apply(stage: Callable[[Row, RunContext], Row | list[Row]], context: RunContext, table: pa.Table) -> pa.Table:
    _set_up_logs(context)
    return _made(lambda row: stage(row, context), table)


def _set_up_logs(context: RunContext) -> None:
    logs.set_up_worker(context.config.runtime, run_id=context.paths.run_id, stage=context.stage)


def _made(stage: Callable[[Row], Row | list[Row]], table: pa.Table) -> pa.Table:
    made: list[Row] = []
    for row in from_table(table):
        given = stage(row)
        made.extend(given if isinstance(given, list) else [given])
    return to_table(made)
