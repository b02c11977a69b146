"""A file of JSON lines that grows while a run goes on, and can be read again at any line.

In a local or shared folder it is one file, appended to, and made durable about once a second: of what a machine's
crash takes, every result has a marker of its own. An object store cannot append: there, lines lie in parts that are
written whole, and the driver keeps a nameless copy on its own disk to read from.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from anonflow.storage import StoragePath, canonical_json, naming_storage_errors, write_bytes

JOURNAL = "ledger.jsonl"
_SYNC_EVERY_S = 1.0
_PART_EVERY_S = 15.0


class Journal:
    """The lines of one run. Written by one thread; `flush` may be called by another."""

    def __init__(self, folder: StoragePath) -> None:
        """Begin in `folder`, which exists."""
        self._folder = folder
        self._is_local = isinstance(folder, Path)
        self._parts = 0
        self._waiting: list[bytes] = []
        self._flushed = time.monotonic()
        self._lock = threading.Lock()
        self._file = self._open()

    def append(self, value: Any) -> int:
        """Add a line; give where it is."""
        line = f"{canonical_json(value)}\n".encode()
        with self._lock, naming_storage_errors(self._folder):
            place = self._file.seek(0, os.SEEK_END)
            self._file.write(line)
            self._file.flush()
            if not self._is_local:
                self._waiting.append(line)
        self.flush(only_if_due=True)
        return place

    def at(self, place: int) -> Any:
        """The line that begins there."""
        with self._lock, naming_storage_errors(self._folder):
            self._file.seek(place)
            return json.loads(self._file.readline())

    def flush(self, *, only_if_due: bool = False) -> None:
        """Have others see all lines, and none lost with the machine."""
        with self._lock, naming_storage_errors(self._folder):
            every_s = _SYNC_EVERY_S if self._is_local else _PART_EVERY_S
            if only_if_due and time.monotonic() - self._flushed < every_s:
                return
            if self._is_local:
                os.fsync(self._file.fileno())
            elif self._waiting:
                write_bytes(_part(self._folder, self._parts), b"".join(self._waiting))
                self._parts += 1
                self._waiting.clear()
            self._flushed = time.monotonic()

    def remove(self) -> None:
        """Take it away; it has served its purpose."""
        self._file.close()
        with naming_storage_errors(self._folder):
            for path in _files(self._folder):
                path.unlink(missing_ok=True)

    def _open(self) -> IO[bytes]:
        with naming_storage_errors(self._folder):
            if not isinstance(self._folder, Path):
                return tempfile.TemporaryFile()  # has no name, so nothing is left of it whatever happens
            path = self._folder / JOURNAL
            path.touch(mode=0o600)
            return path.open("a+b")


def read_journal(folder: StoragePath) -> Iterator[Any]:
    """The lines of a run that is going on or died, in order; a last one that was cut off is left out."""
    for path in _files(folder):
        with path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield json.loads(line)


def _files(folder: StoragePath) -> list[StoragePath]:
    return sorted(path for path in folder.iterdir() if path.name.startswith(JOURNAL))


def _part(folder: StoragePath, number: int) -> StoragePath:
    return folder / f"{JOURNAL}.{number:06d}"
