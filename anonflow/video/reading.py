"""What FFmpeg reads a file through: its own reader for a local one, ranges of bytes for a remote one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from anonflow.errors import AnonflowError, SourceEmptyError, SourceMissingError, SourceUnreadableError
from anonflow.storage import StoragePath
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
    try:
        file = path.open("rb")
    except OSError as error:
        raise read_error(error, path) from error
    with file:
        if not file.read(1):
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
        raise read_error(failure, path) from failure
    if failure is not None:
        raise failure


def read_error(error: OSError, path: StoragePath) -> SourceMissingError | SourceUnreadableError:
    """The named error for a file that cannot be read."""
    if isinstance(error, IsADirectoryError):
        return SourceUnreadableError(f"{path} is not a file: give the video file itself.")
    if isinstance(error, FileNotFoundError):
        return SourceMissingError(f"{path} does not exist: check the path.")
    return SourceUnreadableError(
        f"{path} cannot be read ({error.strerror or type(error).__name__}): check the storage."
    )
