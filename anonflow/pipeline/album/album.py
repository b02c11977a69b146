"""An album in one stage: every picture is tried by itself, and its failure is its own.

If the worker dies, the album is tried again, with care: the beginning of each picture is noted, so that the one
that takes workers down is known, and quarantined after `runtime.max_attempts`. The others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from anonflow.claims import forget_count
from anonflow.errors import AnonflowError, StorageError, WorkerCrashError
from anonflow.observe.metrics import FAILED, MADE
from anonflow.pipeline.album.members import Member, members_of
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.guard import count_attempt, deadline, internal_error, recorded_failure
from anonflow.pipeline.outcomes import end_source, has_ended, read_ending
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.timing import Stopwatch
from anonflow.storage import StoragePath

log = logging.getLogger(__name__)

_TELL_EVERY_S = 10.0


class Album:
    """The pictures of an album that are left at a stage, and the rows of those that end there."""

    def __init__(self, row: Row, stage: str, context: RunContext) -> None:
        """Enter the stage; pictures that ended in it in an earlier attempt end again, the same way."""
        self.row, self.stage, self.context = row, stage, context
        self._ended: dict[int, Row] = {}
        self._left: list[Member] = []
        self._is_lost = False
        self._watch = Stopwatch()
        self._told_s = -_TELL_EVERY_S
        for member in members_of(row, context):
            ending = read_ending(member.row, context)
            if ending is None:
                self._left.append(member)
            elif ending.stage == stage:
                self._ended[member.position] = member.row.ended(ending.outcome)
        self.is_careful = False
        """Whether an earlier attempt ended with its worker: one picture at a time, then."""
        with self.together():
            self.is_careful = bool(self._left) and count_attempt(self._marker("album")) > 1
        if self.is_careful:
            context.progress.retried(stage)

    def left(self) -> Iterator[Member]:
        """The pictures that have not ended, those that end meanwhile left out."""
        for member in self._left:
            if member.position not in self._ended:
                yield member

    def attempt(self, member: Member, work: Callable[[], None]) -> None:
        """Do the work on one picture; if it fails, the picture ends, and nothing else."""
        marker = self._marker(member.source.video_id)
        failure = self.context.paths.failure(marker)
        runtime, uri = self.context.config.runtime, member.source.uri
        self._tell_at_work()
        try:
            if recorded := recorded_failure(failure):
                raise recorded
            if self.is_careful and count_attempt(marker) > runtime.max_attempts:
                raise WorkerCrashError(
                    f"{uri}: its worker died {runtime.max_attempts} times (out of memory, a decoder or a GPU). "
                    "Check the file; give the stage more memory and run again."
                )
            with deadline(runtime.chunk_timeout_s, failure, uri):
                work()
            if self.is_careful:
                forget_count(marker)  # what counts is what was begun and not finished
        except AnonflowError as error:
            self.fail(member, error)
        except Exception as error:
            log.exception("Unexpected error at a picture")
            self.fail(member, internal_error(uri, error))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Do what concerns all pictures that are left; if it fails, they all end."""
        try:
            yield
        except AnonflowError as error:
            for member in list(self.left()):
                self.fail(member, error)
        except Exception as error:
            log.exception("Unexpected error at an album")
            for member in list(self.left()):
                self.fail(member, internal_error(member.source.uri, error))

    def fail(self, member: Member, error: AnonflowError) -> None:
        """Quarantine a picture. If that cannot be recorded, nothing of the album goes on."""
        self.context.progress.failed(self.stage, error.reason)
        self._quarantine(member, error)
        if not self._is_recorded(member):
            self._is_lost = True
            for other in list(self.left()):
                self._quarantine(other, error)

    def end(self, member: Member, outcome: Outcome) -> None:
        """End a picture; it has no work of its own that could be removed."""
        row = end_source(member.row, self.stage, outcome, self.context, keep_work=True)
        self._ended[member.position] = row

    def leave(self) -> list[Row]:
        """The rows that go on: those of ended pictures, and the album's, for the pictures that are left."""
        self.context.progress.left(self._task)
        self.context.progress.task(self.stage, FAILED if self._is_lost else MADE, self._watch.read()["wall_s"])
        return [*self._ended.values(), *([] if self._is_lost else [self.row])]

    @property
    def _task(self) -> str:
        return f"{self.stage} {self.row.video_id}"

    def _tell_at_work(self) -> None:
        """Now and then: there may be thousands of pictures, each with a time limit of its own."""
        if time.monotonic() - self._told_s >= _TELL_EVERY_S:
            self._told_s = time.monotonic()
            self.context.progress.began(self._task, self.context.config.runtime.chunk_timeout_s + _TELL_EVERY_S)

    def _is_recorded(self, member: Member) -> bool:
        try:
            return has_ended(member.row, self.context)
        except StorageError:
            return False

    def _quarantine(self, member: Member, error: AnonflowError) -> None:
        outcome = Outcome.quarantined(member.source, self.context.paths.keys.masks, error)
        self.end(member, replace(outcome, kind="picture"))

    def _marker(self, name: str) -> StoragePath:
        return self.context.paths.album_marker(self.row.video_id, self.stage, name)
