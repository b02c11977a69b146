"""What FFmpeg reads a file through: its own reader for a local one, ranges of bytes for a remote one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from anonflow.errors import AnonflowError, SourceEmptyError
from anonflow.storage import StoragePath, naming_source_errors, source_error
from anonflow.video.watchdog import paused


class SteadyReader:
    """A file object for PyAV that remembers a failure.

    FFmpeg takes a read that fails for the end of the file, here and there; what it made of that counts for nothing.
    Waiting for the storage is no decoding: it does not count against the time that a frame may take.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        """Read `file`; FFmpeg guesses the format also by the ending of `name`."""
        self._file, self.name = file, name
        self.failure: Exception | None = None

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        try:
            with paused():
                return self._file.read(size)
        except Exception as error:
            self.failure = self.failure or error
            raise

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._file.tell()


@contextmanager
def reading(path: StoragePath) -> Iterator[str | SteadyReader]:
    """What to give to `av.open`, while the block reads from it.

    Raises:
        SourceMissingError, SourceUnreadableError, SourceEmptyError: a remote file is the problem itself.
        StorageUnavailableError: the storage failed while the block was reading, whatever the block made of that.
    """
    if isinstance(path, Path):
        yield f"file:{path.absolute()}"
        return
    with naming_source_errors(path):
        file = path.open("rb")
    with file:
        with naming_source_errors(path):
            is_empty = not file.read(1)
        if is_empty:
            raise SourceEmptyError(f"{path} is empty: copy it again from where it was recorded.")
        file.seek(0)
        reader = SteadyReader(file, path.name)
        try:
            yield reader
        finally:
            _raise_failure(reader, path)


def _raise_failure(reader: SteadyReader, path: StoragePath) -> None:
    failure = reader.failure
    if isinstance(failure, AnonflowError):
        raise failure
    if isinstance(failure, OSError):
        raise source_error(failure, path) from failure
    if failure is not None:
        raise failure
