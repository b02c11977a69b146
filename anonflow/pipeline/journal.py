"""Lines that are durable as they come: a local file that grows; in a store, which cannot append, many files."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Protocol, TextIO

from anonflow.remote.path import RemotePath
from anonflow.storage import StoragePath, naming_storage_errors, remove_all, write_bytes

_EVERY_S = 2.0
_EVERY_LINES = 1000


class Journal(Protocol):
    """Takes lines."""

    def add(self, line: str) -> None:
        """Append a line."""

    def close(self) -> None:
        """Make durable what is not yet."""

    def remove(self) -> None:
        """Close, and remove all of it: it has served its purpose."""


def open_journal(path: StoragePath) -> Journal:
    """A journal at `path`; a remote one lies in `path.000001` and so on."""
    return _Parts(path) if isinstance(path, RemotePath) else _Appended(path)


def read_journal(path: StoragePath) -> list[str]:
    """The lines that are there, in order; a last one that was cut off by a crash left out."""
    if isinstance(path, RemotePath):
        content = b"".join(part.read_bytes() for part in _parts(path))
    else:
        content = path.read_bytes() if path.exists() else b""
    return content.decode().split("\n")[:-1]


class _Appended:
    """Each line is on disk before the next is taken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO = path.open("a", encoding="utf-8")

    def add(self, line: str) -> None:
        with naming_storage_errors(self._path):
            self._file.write(f"{line}\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        self.close()
        self._path.unlink()


class _Parts:
    """An object at most every two seconds: what a crash loses of it, the markers of finished sources still say."""

    def __init__(self, path: RemotePath) -> None:
        self._path, self._n_parts = path, len(list(_parts(path)))
        self._lines: list[str] = []
        self._written_s = time.monotonic() - _EVERY_S

    def add(self, line: str) -> None:
        self._lines.append(line)
        if len(self._lines) >= _EVERY_LINES or time.monotonic() - self._written_s >= _EVERY_S:
            self.close()

    def close(self) -> None:
        if self._lines:
            content = "".join(f"{line}\n" for line in self._lines).encode()
            write_bytes(self._path.with_name(f"{self._path.name}.{self._n_parts + 1:06d}"), content)
            self._n_parts, self._lines = self._n_parts + 1, []
        self._written_s = time.monotonic()

    def remove(self) -> None:
        self.close()
        with naming_storage_errors(self._path):
            remove_all(_parts(self._path))


def _parts(path: RemotePath) -> list[RemotePath]:
    return sorted(path.parent.glob(f"{path.name}.[0-9]*"))
