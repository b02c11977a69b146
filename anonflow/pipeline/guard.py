"""Making a result, or a durable reason why not: attempts are counted before they start, hangs end at a deadline."""

from __future__ import annotations

import json
import logging
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from anonflow.claims import count_up
from anonflow.errors import (
    AnonflowError,
    ChunkTimeoutError,
    InternalError,
    LimitError,
    OutOfMemoryError,
    RecordedError,
    StorageError,
    WorkerCrashError,
)
from anonflow.observe.metrics import FAILED, MADE, REUSED
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.guardian import killed_after
from anonflow.pipeline.timing import Stopwatch
from anonflow.storage import StoragePath, naming_storage_errors, read_if_there, storage_error, write_json
from anonflow.video.watchdog import step_limit

log = logging.getLogger(__name__)

_EXIT_AFTER_DEADLINE = 70
_EXIT_UNUSABLE = 71
_GRACE_S = 15.0


def make_result(
    context: RunContext, result: StoragePath, subject: str, make: Callable[[], None], n_chunks: int = 1
) -> AnonflowError | None:
    """Run `make` unless `result` exists; when it fails, write the failure beside it instead, and return it.

    `subject` names the input for messages. After `runtime.max_attempts` begun attempts, which can only have
    ended with their worker, or after `runtime.chunk_timeout_s` for each of the `n_chunks` that the result is made
    of, the failure is recorded without another try.
    """
    failure, progress, watch = context.paths.failure(result), context.progress, Stopwatch()
    if result.exists():
        progress.task(context.stage, REUSED, 0.0)
        return None
    if recorded := recorded_failure(failure):
        _tell_failure(context, recorded, watch)
        return recorded
    runtime = context.config.runtime
    limit_s = runtime.chunk_timeout_s * n_chunks
    progress.began(str(result), limit_s)
    try:
        begun = count_attempt(context.paths.attempts(result))
        if begun > 1:
            progress.retried(context.stage)
        if begun > runtime.max_attempts:
            raise WorkerCrashError(
                f"{subject}: its worker died {runtime.max_attempts} times (out of memory, a decoder or a GPU). "
                "Check the file; give the stage more memory or shorter chunks and run again."
            )
        decode_s = context.config.limits.max_decode_s_per_frame
        with (
            deadline(limit_s, failure, subject),
            frame_deadline(decode_s, failure, subject),
            naming_storage_errors(result),
        ):
            make()
    except AnonflowError as error:
        _tell_failure(context, error, watch)
        return _recorded(failure, error)
    except Exception as error:
        log.exception("Unexpected error while making a result")
        internal = internal_error(subject, error)
        _tell_failure(context, internal, watch)
        return _recorded(failure, internal)
    finally:
        progress.left(str(result))
    progress.task(context.stage, MADE, watch.read()["wall_s"])
    return None


@contextmanager
def telling_failures(context: RunContext) -> Iterator[None]:
    """Count what ends a task before there is a result to make."""
    watch = Stopwatch()
    try:
        yield
    except AnonflowError as error:
        _tell_failure(context, error, watch)
        raise


def _tell_failure(context: RunContext, error: AnonflowError, watch: Stopwatch) -> None:
    context.progress.task(context.stage, FAILED, watch.read()["wall_s"])
    context.progress.failed(context.stage, error.reason)


def internal_error(subject: str, error: Exception) -> AnonflowError:
    """The named error for an exception that nobody foresaw; I/O errors are told apart."""
    if isinstance(error, OSError):
        return storage_error(error, Path(error.filename or subject))
    if isinstance(error, MemoryError):
        return OutOfMemoryError(
            f"{subject}: there was not enough memory. Run fewer workers at once (runtime.*.max_workers), give the "
            "stage more memory (runtime.*.memory_mb), or lower chunk.length_s for a video."
        )
    place = traceback.extract_tb(error.__traceback__)[-1]
    return InternalError(
        f"{subject}: unexpected {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}. "
        "This is a defect of anonflow; please report this line."
    )


def _recorded(failure: StoragePath, error: AnonflowError) -> AnonflowError:
    try:
        record_failure(failure, error)
    except StorageError:
        log.exception("Could not record a failure")  # the row itself carries it then
    return error


def count_attempt(path: StoragePath) -> int:
    """Note durably that an attempt begins; give how many have begun."""
    return count_up(path)


def record_failure(path: StoragePath, error: AnonflowError) -> None:
    """Write a failure for the fan-in to find."""
    write_json(path, _record(error))


def _record(error: AnonflowError) -> dict[str, object]:
    return {"reason": error.reason, "message": str(error), "transient": error.transient}


def recorded_failure(path: StoragePath) -> AnonflowError | None:
    """The error written to `path`; None if there is no such file."""
    record = read_if_there(path)
    return None if record is None else recorded_error(json.loads(record))


def recorded_error(record: dict[str, object]) -> AnonflowError:
    """The error that `record_failure` wrote."""
    return RecordedError(str(record["reason"]), str(record["message"]), transient=bool(record["transient"]))


@contextmanager
def deadline(seconds: float, failure: StoragePath, subject: str) -> Iterator[None]:
    """End this process when the block takes longer than `seconds`, after writing the failure.

    A decoder that hangs in C cannot be interrupted, only left. The timer thread writes why; should even that not
    run (a library that keeps the interpreter, a stopped process), the guardian does both some seconds later.
    """
    error = ChunkTimeoutError(
        f"{subject}: a part of the work took longer than {seconds:g} s. "
        "Raise runtime.chunk_timeout_s, or lower chunk.length_s for a video."
    )
    timer = threading.Timer(seconds, lambda: _leave(failure, error))
    timer.daemon = True
    timer.start()
    try:
        with killed_after(seconds + _GRACE_S, failure, _record(error)):
            yield
    finally:
        timer.cancel()


@contextmanager
def frame_deadline(seconds: float, failure: StoragePath, subject: str) -> Iterator[None]:
    """End this process when one packet takes longer than `seconds` to be read or decoded, after writing why."""

    def give_up() -> None:
        error = LimitError(
            f"{subject}: a single frame took longer than {seconds:g} s to read or decode. Check the file; if it is "
            "sound, raise limits.max_decode_s_per_frame."
        )
        _leave(failure, error)

    with step_limit(seconds, give_up):
        yield


def end_worker(why: str) -> NoReturn:
    """End this process, which can be used no more, as if it was killed: the attempt counts, and is made again."""
    log.error("This worker ends: %s", why)
    os._exit(_EXIT_UNUSABLE)


def _leave(failure: StoragePath, error: AnonflowError) -> None:
    try:
        record_failure(failure, error)
    except StorageError:
        log.exception("Could not record a timeout")
    os._exit(_EXIT_AFTER_DEADLINE)
