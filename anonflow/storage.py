"""Files that are there whole or not at all.

Everything durable is written to a temporary name in the same folder, flushed, and renamed. A process that dies
leaves at most a file that ends in `PARTIAL_SUFFIX`, which nobody reads and the next run removes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anonflow.errors import NoSpaceError, StorageError, WritePermissionError

PARTIAL_SUFFIX = ".partial"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def storage_error(error: OSError, path: Path) -> StorageError:
    """The named error for a failed write to `path`."""
    if error.errno in _FULL:
        return NoSpaceError(f"No space left to write {path}: free some space there and run again.")
    if error.errno in _FORBIDDEN:
        return WritePermissionError(f"No permission to write {path}: make the folder writable and run again.")
    return StorageError(f"Cannot write {path}: {error.strerror or error}. Check the storage and run again.")


@contextmanager
def naming_storage_errors(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a named error about `path`."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; rename it to `path` when the block succeeds, remove it when not."""
    partial = path.with_name(f".{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    with naming_storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            move_into_place(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def move_into_place(partial: Path, path: Path) -> None:
    """Make `partial` durable and rename it to `path`, replacing what was there."""
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a small file whole."""
    with written_whole(path) as partial:
        partial.write_bytes(content)


def create_exclusive(path: Path, content: bytes) -> bool:
    """Write a small file whole unless the name is taken; whether it was written. Of many who try, one succeeds.

    The hard link puts a complete file under the name, or fails if something is there (also on NFS).
    """
    claim = path.with_name(f".{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    with naming_storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_private(claim, content)
            os.link(claim, path)
        except FileExistsError:
            return False
        finally:
            claim.unlink(missing_ok=True)
    return True


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on. It is not whole until this returns."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no white space: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def readable_json(value: Any) -> str:
    """JSON for people, with sorted keys."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def write_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON, whole."""
    write_bytes(path, readable_json(value).encode())


def write_private_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON, whole, for its owner alone."""
    with written_whole(path) as partial:
        write_private(partial, readable_json(value).encode())


def fingerprint(value: Any) -> str:
    """Short stable name (16 hexadecimal digits of SHA-256) of a value that JSON can hold."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def make_private_folder(path: Path) -> None:
    """Create a folder that only its owner can enter."""
    with naming_storage_errors(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def remove_empty_folders(path: Path) -> None:
    """Remove the folders below `path` that hold nothing, and `path` itself if nothing is left in it."""
    for folder, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(OSError):  # not empty, or another run is filling it
            Path(folder).rmdir()


def remove_tree(path: Path) -> None:
    """Remove a folder and what is in it; a folder that is not there is fine."""
    with naming_storage_errors(path):
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            return
