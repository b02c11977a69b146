"""The dataflow, top to bottom.

    sources -> plan -> detect -> stitch -> mask -> join -> outcomes

`plan` gives a row for each chunk. `stitch` and `join` give rows only for the chunk that completes its video, so
a video goes on as soon as its own last chunk has arrived and no stage waits for another video. Rows carry names;
what a stage makes is on disk under names that follow from the row. A stage never raises: failures are written
down, and the video ends in quarantine at the next fan-in; what gets past that (storage that cannot even be looked
at) ends the row's sources and no others. Pictures go in albums: a row for many, and at the stage
where a picture ends, a row of its own.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import ray
from ray.data import Dataset

from anonflow.observe import logs
from anonflow.pipeline.album.stages import Detect, ended_by, join, mask, plan, stitch
from anonflow.pipeline.blocks import rows_a_block
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.resources import Resources
from anonflow.pipeline.rows import Outcome, Row, from_table, to_table

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stages:
    """What is done to rows, in order. Others than the real ones stand in for them in simulations."""

    plan: Callable[[Row, RunContext], Row | list[Row]] = plan
    detect: Callable[[RunContext], Callable[[Row], Row | list[Row]]] = Detect
    stitch: Callable[[Row, RunContext], Row | list[Row]] = stitch
    mask: Callable[[Row, RunContext], Row | list[Row]] = mask
    join: Callable[[Row, RunContext], Row | list[Row]] = join


REAL = Stages()


def build(first: Sequence[Row], context: RunContext, on: Resources, stages: Stages = REAL) -> Dataset:
    """The pipeline over the `first` rows, not yet started."""
    a_block = rows_a_block(first)
    return (
        build_plans(first, context, on, stages)
        .repartition(target_num_rows_per_block=a_block)
        .map_batches(rows(stages.mask, context.at("mask")), **on.mask)
        .map_batches(rows(stages.join, context.at("join")), **on.join)
    )


def build_plans(first: Sequence[Row], context: RunContext, on: Resources, stages: Stages = REAL) -> Dataset:
    """The part of the pipeline that decides what to hide: rows of chunks whose mask plans are on disk."""
    a_block = rows_a_block(first)
    return (
        ray.data.from_arrow(to_table(first))
        .repartition(target_num_rows_per_block=a_block)
        .map_batches(rows(stages.plan, context.at("plan")), **on.plan)
        .repartition(target_num_rows_per_block=a_block)
        .map_batches(DetectRows, fn_constructor_args=[context.at("detect"), stages.detect], **on.detect)
        .map_batches(rows(stages.stitch, context.at("stitch")), **on.stitch)
    )


def rows(
    stage: Callable[[Row, RunContext], Row | list[Row]], context: RunContext
) -> Callable[[pa.Table], pa.Table]:
    """A stage as Ray Data calls it: tables in, tables out."""
    return partial(_apply, stage, context)


class DetectRows:
    """The detect stage as an actor."""

    def __init__(
        self, context: RunContext, detect: Callable[[RunContext], Callable[[Row], Row | list[Row]]] = Detect
    ) -> None:
        """Hold the models of one actor."""
        _set_up_logs(context)
        self._context, self._detect = context, detect(context)

    def __call__(self, table: pa.Table) -> pa.Table:
        """Detect in the table's chunks."""
        return _made(self._detect, table, self._context)


def outcomes(dataset: Dataset) -> Iterator[Outcome]:
    """Run the pipeline; give each source's outcome as it ends."""
    for row in rows_of(dataset):
        yield Outcome.from_json(json.loads(row.outcome))


def rows_of(dataset: Dataset) -> Iterator[Row]:
    """Run the pipeline; give each row that comes out of it."""
    for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        yield from from_table(table)


def _apply(stage: Callable[[Row, RunContext], Row | list[Row]], context: RunContext, table: pa.Table) -> pa.Table:
    _set_up_logs(context)
    return _made(lambda row: stage(row, context), table, context)


def _set_up_logs(context: RunContext) -> None:
    logs.set_up_worker(context.config.runtime, run_id=context.paths.run_id, stage=context.stage)


def _made(stage: Callable[[Row], Row | list[Row]], table: pa.Table, context: RunContext) -> pa.Table:
    made: list[Row] = []
    for row in from_table(table):
        try:
            given = stage(row)
        except Exception as error:
            log.exception("Unexpected error in a stage")
            given = ended_by(error, row, context)
        made.extend(given if isinstance(given, list) else [given])
    return to_table(made)
