"""plan: a source becomes its chunks, or ends at once (unchanged, quarantined)."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

from anonflow.errors import (
    AnonflowError,
    SourceChangedError,
    SourceEmptyError,
    SourceMissingError,
    SourceUnreadableError,
)
from anonflow.pipeline.collisions import output_path
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.destination import Destination
from anonflow.pipeline.guard import internal_error, make_result, telling_failures
from anonflow.pipeline.outcomes import end_source, quarantine, read_done, read_ending, unchanged
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.timing import Stopwatch
from anonflow.remote.access import Access
from anonflow.storage import StoragePath, Version, located, version_of
from anonflow.tables import read_index, write_index
from anonflow.track.configured import overlap_frames
from anonflow.types import Source
from anonflow.video.damage import mark_damage
from anonflow.video.plan import plan_chunks
from anonflow.video.probe import probe

log = logging.getLogger(__name__)


def plan(row: Row, context: RunContext) -> list[Row]:
    """The rows of a source's chunks, or one row with its outcome."""
    try:
        ending = read_ending(row, context)
        if ending is not None and ending.stage == "plan":
            return [row.ended(ending.outcome)]
        if ending is None and (earlier := published_before(row, context)) is not None:
            return [end_source(row, "plan", unchanged(earlier, row), context)]
        return _chunk_rows(row, context)
    except AnonflowError as error:
        return [quarantine(row, "plan", error, context)]
    except Exception as error:
        log.exception("Unexpected error while planning")
        return [quarantine(row, "plan", internal_error(row.uri, error), context)]


def published_before(row: Row, context: RunContext) -> Outcome | None:
    """The outcome of an equal earlier run whose output is still what that run wrote."""
    done = read_done(row, context)
    if done is None or done.run_id == context.paths.run_id:
        return None
    output = context.source(done.outcome.output_uri)
    own = context.paths.output / row.relative_path  # a picture's, whatever its name ends in
    if output not in (own, output_path(context.paths.output, row.relative_path, output.suffix)):
        return None
    try:
        return done.outcome if version_of(output).is_that_of(done.output) else None
    except FileNotFoundError:
        return None


def check_source(source: Source, access: Access | None = None) -> None:
    """Raise unless the source is there, readable, not empty, and the version that was listed."""
    if source.uri.startswith("file:"):
        raise SourceUnreadableError(f"{source.uri}: the file's name is not valid UTF-8. Rename it and run again.")
    path = located(source.uri, access or Access())
    try:
        found = version_of(path)
    except FileNotFoundError as error:
        raise SourceMissingError(f"{path}: no such file. Check the path or take it off the list.") from error
    except OSError as error:
        raise SourceUnreadableError(f"{path}: cannot be read ({error.strerror}). Check the permissions.") from error
    if isinstance(path, Path) and not (path.is_file() and os.access(path, os.R_OK)):
        raise SourceUnreadableError(f"{path}: cannot be read. Check that it is a file and its permissions.")
    if found.size_bytes == 0:
        raise SourceEmptyError(f"{path}: the file is empty. Copy it again from where it came.")
    listed = Version(source.size_bytes, source.modified_ns, source.etag)
    if source.size_bytes >= 0 and not found.is_that_of(listed):
        raise SourceChangedError(f"{path}: the file changed while it was worked on. Run again when it is complete.")


def _chunk_rows(row: Row, context: RunContext) -> list[Row]:
    with telling_failures(context):
        check_source(row.source, context.config.runtime.access)
    target = context.paths.index(row.video_id)
    if error := make_result(context, target, row.uri, lambda: _write_index(row, target, context)):
        raise error
    index, chunks = read_index(target)
    context.progress.planned(index.n_frames, chunks=len(chunks))
    return [replace(row, chunk=chunk.index, n_chunks=len(chunks)) for chunk in chunks]


def _write_index(row: Row, target: StoragePath, context: RunContext) -> None:
    watch = Stopwatch()
    config, path = context.config, context.source(row.uri)
    index = probe(path, config.limits, keeps_damaged=config.source.hides_damage)
    Destination.of(config, row, index)  # better refused now than after all the work
    if config.source.hides_damage:
        index = mark_damage(path, index)
    chunks = plan_chunks(index, config.chunk.length_s, overlap_frames(config.chunk, config.tracker))
    write_index(target, index, chunks, watch.read())
