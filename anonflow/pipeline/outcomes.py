"""The end of a source, recorded before its row goes on, so that a task that is run again ends it the same way."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

from anonflow.errors import AnonflowError, StorageError
from anonflow.pipeline.chains import unchanged_chain
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.rows import Outcome, Row
from anonflow.storage import write_json
from anonflow.types import Status

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """At which stage a source ended in this run, and how."""

    stage: str
    outcome: Outcome


def read_ending(row: Row, context: RunContext) -> Ending | None:
    """How the row's source ended in this run, if it has."""
    path = context.paths.ended(row.video_id)
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    return Ending(record["stage"], Outcome.from_json(record["outcome"]))


def has_ended(row: Row, context: RunContext) -> bool:
    """Whether the row's source has ended, so that nothing is to be made for it any more."""
    return context.paths.ended(row.video_id).exists()


def end_source(row: Row, stage: str, outcome: Outcome, context: RunContext, *, keep_work: bool = False) -> Row:
    """Record the end of a source at `stage`, remove what was made on the way, and give the row that says so.

    `keep_work` is for failures that a later run may not meet again: its finished chunks wait for that run.
    """
    try:
        write_json(context.paths.ended(row.video_id), {"stage": stage, "outcome": outcome.to_json()})
        if not keep_work:
            context.paths.remove_work(row.video_id)
    except StorageError:
        log.exception("Could not record an end")  # the row carries it; only a task run again would miss the record
    return row.ended(outcome)


def quarantine(row: Row, stage: str, error: AnonflowError, context: RunContext) -> Row:
    """End a source because of `error`."""
    outcome = Outcome.quarantined(row.source, context.paths.keys.masks, error)
    return end_source(row, stage, outcome, context, keep_work=error.transient)


def after_attempt(row: Row, stage: str, result: Path, error: AnonflowError | None, context: RunContext) -> Row:
    """The row after an attempt to make its `result`, for the fan-in to go on with.

    A failure is on disk, where the fan-in finds it; if not even that could be written, the row ends its source.
    """
    if error is None or context.paths.failure(result).exists():
        return row
    return quarantine(row, stage, error, context)


@dataclass(frozen=True)
class Done:
    """The marker of a published source: by which run, how, and the modification time of its output."""

    run_id: str
    output_modified_ns: int
    outcome: Outcome


def read_done(row: Row, context: RunContext) -> Done | None:
    """The marker that a run with an equal configuration left for this version of the source."""
    path = context.paths.done(row.video_id)
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    return Done(record["run_id"], record["output_modified_ns"], Outcome.from_json(record["outcome"]))


def unchanged(earlier: Outcome, row: Row) -> Outcome:
    """The outcome of a source that an earlier run published, maybe from another input folder."""
    chain = unchanged_chain(earlier.video_id, earlier.chain)
    return replace(earlier, status=Status.UNCHANGED, relative_path=row.relative_path, chain=chain)


def write_done(row: Row, outcome: Outcome, output_modified_ns: int, context: RunContext) -> None:
    """Mark a source as published. This is the last thing that is written for it."""
    record = {
        "run_id": context.paths.run_id,
        "output_modified_ns": output_modified_ns,
        "outcome": outcome.to_json(),
    }
    write_json(context.paths.done(row.video_id), record)
