"""What is known of a run while it goes on and after it: `OUTPUT/_anonflow/<run id>/run.json`, for its owner alone.

The driver writes it every few seconds, so that a look at a run needs nothing else. It has the whole configuration,
paths included, so that a run can be taken up again. Whether a run that says `running` still runs, its lease tells.
"""

from __future__ import annotations

import enum
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from anonflow.errors import StorageError
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.pipeline.process import Process
from anonflow.storage import StoragePath, make_private_folder, write_private_json

RECORD = "run.json"


class State(enum.StrEnum):
    """How a run stands, by its own word."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True)
class Counts:
    """How far a run is. Frames are known once their video is planned."""

    sources: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    """Of the quarantined."""
    frames: dict[str, int] = field(default_factory=dict)
    """`planned`, and by stage those that went through it."""

    @property
    def ended(self) -> int:
        """Sources with an outcome."""
        return sum(self.statuses.values())


@dataclass(frozen=True)
class Record:
    """The content of `run.json`. Times are UTC, ISO 8601."""

    run_id: str
    state: State
    process: Process
    started: str
    updated: str
    configuration: dict[str, Any]
    counts: Counts = field(default_factory=Counts)
    elapsed_s: float = 0.0
    """By the driver's own clock."""
    error: str = ""
    """Name of the error that ended the run, not its message."""
    is_retry: bool = False
    """It took only what had been quarantined."""
    number: int = 0
    """That of its lease: which of two runs was later, whatever the clocks said."""

    @classmethod
    def read(cls, folder: StoragePath) -> Record | None:
        """That of a run's folder; None if it has none, or one of another version."""
        try:
            value = json.loads((folder / RECORD).read_bytes())
            parts = {"state": State(value["state"]), "process": Process(**value["process"])}
            return cls(**{**value, **parts, "counts": Counts(**value["counts"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None


def records(output: StoragePath) -> Iterator[Record]:
    """Those of all runs on an output folder, the latest first."""
    control = output / CONTROL_FOLDER
    folders = [path for path in control.iterdir() if path.is_dir()] if control.exists() else []
    found = [record for record in map(Record.read, folders) if record]
    yield from sorted(found, key=lambda record: (record.number, record.run_id), reverse=True)


class RecordFile:
    """Keeps `run.json` up to date. Several threads may tell it of changes."""

    def __init__(self, folder: StoragePath, record: Record) -> None:
        """Write the first version.

        Raises:
            StorageError: it cannot be written.
        """
        self._path, self._record, self._lock = folder / RECORD, record, threading.Lock()
        self._write()

    def update(self, **changes: Any) -> None:
        """Change fields of the record. A failure to write is left to the next update, but for the last."""
        with self._lock:
            self._record = replace(self._record, updated=_now(), **changes)
            self._write()

    def _write(self) -> None:
        write_private_json(self._path, asdict(self._record))


@contextmanager
def recorded(
    folder: StoragePath, run_id: str, configuration: dict[str, Any], *, is_retry: bool = False, number: int = 0
) -> Iterator[RecordFile]:
    """Keep the record of a run, which is the block; say at the end how it ended."""
    make_private_folder(folder)
    now = _now()
    begun = Record(run_id, State.RUNNING, Process.own(), now, now, configuration, is_retry=is_retry, number=number)
    file = RecordFile(folder, begun)
    try:
        yield file
    except BaseException as error:
        reason = getattr(error, "reason", type(error).__name__)
        is_stopped = isinstance(error, KeyboardInterrupt) and not hasattr(error, "reason")
        try:
            file.update(state=State.INTERRUPTED if is_stopped else State.FAILED, error=reason)
        except StorageError as unwritten:
            error.add_note(f"The record of the run could not be written: {unwritten}")
        raise
    file.update(state=State.FINISHED)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
