"""Files that are there whole or not at all, in a local folder or in an object store.

Locally, everything durable is written to a temporary name in the same folder, flushed, and renamed. A process that
dies leaves at most a file that ends in `PARTIAL_SUFFIX`, which nobody reads and the next run removes. A store shows
an object when all of it has arrived, and cannot rename: a remote file is made in local scratch, then uploaded.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from anonflow.errors import (
    ConfigError,
    NoSpaceError,
    SourceMissingError,
    SourceUnreadableError,
    StorageError,
    StorageMissingError,
    WritePermissionError,
)
from anonflow.remote.access import Access, store_of
from anonflow.remote.address import is_remote
from anonflow.remote.path import RemotePath
from anonflow.remote.scratch import scratch_file

StoragePath: TypeAlias = Path | RemotePath
"""Where a run reads and writes: use its methods, and the functions here to write; never `os` on it."""

PARTIAL_SUFFIX = ".partial"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_REMOVERS = 16


def located(uri: str, access: Access, base: StoragePath | None = None) -> StoragePath:
    """The path that a URI or a local path means. `base`: of relative ones.

    Raises:
        ConfigError: it is an address of an unknown kind, or of a store whose package is not installed.
    """
    if is_remote(uri):
        return RemotePath.of(uri, access)
    if isinstance(base, RemotePath) and not uri.startswith(("/", "file:")):
        return base / uri
    scheme = _scheme(uri)
    path = Path(unquote(urlsplit(uri).path)) if scheme == "file" else Path(uri).expanduser()
    return Path(os.path.abspath((base if isinstance(base, Path) else Path()) / path))


def _scheme(uri: str) -> str:
    try:
        return urlsplit(uri).scheme
    except ValueError:  # brackets, as in the address of a host: a path may have them anywhere
        return ""


def storage_error(error: OSError, path: StoragePath) -> StorageError:
    """The named error for a failed write to `path`."""
    if isinstance(path, RemotePath) and isinstance(error, FileNotFoundError):
        return StorageMissingError(f"Cannot write {path}: there is no such bucket. Create it and run again.")
    if error.errno in _FULL:
        return NoSpaceError(f"No space left to write {path}: free some space there and run again.")
    if error.errno in _FORBIDDEN:
        return WritePermissionError(f"No permission to write {path}: make the folder writable and run again.")
    return StorageError(f"Cannot write {path}: {error.strerror or error}. Check the storage and run again.")


@contextmanager
def naming_storage_errors(path: StoragePath) -> Iterator[None]:
    """Turn an OSError of the block into a named error about `path`."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error


def source_error(error: OSError, path: StoragePath) -> SourceMissingError | SourceUnreadableError:
    """The named error for a file that cannot be read."""
    if isinstance(error, IsADirectoryError):
        return SourceUnreadableError(f"{path} is not a file: give the video file itself.")
    if isinstance(error, FileNotFoundError):
        return SourceMissingError(f"{path} does not exist: check the path.")
    why = error.strerror or type(error).__name__
    return SourceUnreadableError(f"{path} cannot be read ({why}): check the storage and the permissions.")


@contextmanager
def naming_source_errors(path: StoragePath) -> Iterator[None]:
    """Turn an OSError of the block into a named error about reading `path`, an input."""
    try:
        yield
    except OSError as error:
        raise source_error(error, path) from error


@contextmanager
def written_whole(path: StoragePath) -> Iterator[Path]:
    """Give a temporary local path to write to; it becomes `path` when the block succeeds, and goes when not."""
    if isinstance(path, RemotePath):
        with naming_storage_errors(path), scratch_file(path.name, path.access) as made:
            yield made
            path.upload(made)
        return
    partial = path.with_name(f".{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    with naming_storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            move_into_place(partial, path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def staged(target: StoragePath, folder: StoragePath, name: str) -> Iterator[Path]:
    """Give a temporary local path that ends in `name`, for `move_into_place` to `target` once it is checked.

    In `folder`, private, which lies in the file system of a local `target`; in scratch for a remote one.
    """
    with naming_storage_errors(target):
        if isinstance(target, RemotePath):
            with scratch_file(name, target.access) as made:
                yield made
            return
        if not isinstance(folder, Path):
            raise ConfigError(f"{folder} is no local folder beside {target}.")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{secrets.token_hex(4)}.{name}"
        try:
            yield partial
        finally:
            partial.unlink(missing_ok=True)


def move_into_place(partial: Path, path: StoragePath) -> None:
    """Make `partial` durable and rename it to `path`, or upload it, replacing what was there."""
    if isinstance(path, RemotePath):
        path.upload(partial)
        return
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_bytes(path: StoragePath, content: bytes) -> None:
    """Write a small file whole."""
    if isinstance(path, RemotePath):
        with naming_storage_errors(path):
            path.write_bytes(content)
        return
    with written_whole(path) as partial:
        partial.write_bytes(content)


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


def write_json(path: StoragePath, value: Any) -> None:
    """Write `value` as readable JSON, whole."""
    write_bytes(path, readable_json(value).encode())


def write_private_json(path: StoragePath, value: Any) -> None:
    """Write `value` as readable JSON, whole, for its owner alone."""
    if isinstance(path, RemotePath):  # a store has permissions of its own
        write_json(path, value)
        return
    with written_whole(path) as partial:
        write_private(partial, readable_json(value).encode())


def fingerprint(value: Any) -> str:
    """Short stable name (16 hexadecimal digits of SHA-256) of a value that JSON can hold."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


def read_if_there(path: StoragePath) -> bytes | None:
    """The content of a small file; None if there is none. One request, where asking first would be two."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


@dataclass(frozen=True)
class Version:
    """What tells one content of a file from another without reading it."""

    size_bytes: int
    modified_ns: int
    etag: str = ""
    """The store's name of it; empty for a local file."""

    def is_that_of(self, other: Version) -> bool:
        """Whether both mean one content. Times count where there are no names: stores round them as they like."""
        if self.etag or other.etag:
            return (self.size_bytes, self.etag) == (other.size_bytes, other.etag)
        return (self.size_bytes, self.modified_ns) == (other.size_bytes, other.modified_ns)


def version_of(path: StoragePath) -> Version:
    """The version that is there now; FileNotFoundError if there is none."""
    found = path.stat()
    return Version(found.st_size, found.st_mtime_ns, getattr(found, "etag", ""))


def same_file(path: StoragePath, other: StoragePath) -> bool:
    """Whether both, which exist, are one file, through links too."""
    if isinstance(path, Path) and isinstance(other, Path):
        return path.samefile(other)
    return path == other


def arrow_source(path: StoragePath) -> Any:
    """A file as Arrow reads it: a local one by name, a remote one whole, in one request."""
    return pa.BufferReader(path.read_bytes()) if isinstance(path, RemotePath) else path


def file_sha256(path: StoragePath) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with path.open("rb") as stream:
        reader: Any = stream
        return hashlib.file_digest(reader, "sha256").hexdigest()


def make_private_folder(path: StoragePath) -> None:
    """Create a folder that only its owner can enter; in a store, who may read is the bucket's policy."""
    with naming_storage_errors(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def remove_empty_folders(path: StoragePath) -> None:
    """Remove the folders below `path` that hold nothing, and `path` itself if nothing is left in it."""
    if isinstance(path, RemotePath):
        return  # a store has no folders
    for folder, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(OSError):  # not empty, or another run is filling it
            Path(folder).rmdir()


def remove_tree(path: StoragePath) -> None:
    """Remove a folder and what is in it; a folder that is not there is fine."""
    with naming_storage_errors(path):
        if isinstance(path, RemotePath):
            remove_all(path.found_below())
            return
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            return


def remove_all(paths: Iterable[StoragePath]) -> None:
    """Remove files, several at once; those that are gone are fine."""
    listed = list(paths)
    if not listed:
        return
    with ThreadPoolExecutor(min(_REMOVERS, len(listed))) as pool:
        list(pool.map(lambda path: path.unlink(missing_ok=True), listed))


def require_writable(folder: StoragePath) -> None:
    """Raise ConfigError if nothing can ever be written to such an address."""
    if isinstance(folder, RemotePath) and not store_of(folder.scheme).is_writable:
        raise ConfigError(f"{folder}: results cannot be written by HTTP; give a folder or an object store.")
