"""Deciding once: files that only the first of many writers makes, and counts that survive those who count."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from anonflow.errors import ConfigError, StorageError
from anonflow.remote.path import RemotePath
from anonflow.storage import PARTIAL_SUFFIX, StoragePath, naming_storage_errors, write_private


def claim(path: StoragePath, content: bytes) -> bytes:
    """Write `content` to `path` unless something is there already; give what is there. Of many at once, one wins.

    Locally, a hard link puts a complete file under the name, or fails if the name is taken (also on NFS); a store
    is asked to write only what is not there. Whoever claims again, with the same content, gets the same answer.
    """
    with naming_storage_errors(path):
        try:
            if isinstance(path, RemotePath):
                path.create(content)
            else:
                _link(path, content)
        except FileExistsError:
            return path.read_bytes()
    return content


def create_exclusive(path: StoragePath, content: bytes) -> bool:
    """Write `content`, which nobody else writes, to `path` unless something is there; whether it is there now."""
    return claim(path, content) == content


def _link(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f".{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
    try:
        write_private(mine, content)
        os.link(mine, path)
    finally:
        mine.unlink(missing_ok=True)


def count_up(path: StoragePath) -> int:
    """Note durably that something begins, beside what was noted before; give how often it has begun.

    A local file grows by a byte; a store keeps an object for each time, numbered.
    """
    with naming_storage_errors(path):
        if isinstance(path, RemotePath):
            mine, number = secrets.token_bytes(8), 1
            while claim(_numbered(path, number), mine) != mine:
                number += 1
            return number
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as marks:
            marks.write(b".")
            marks.flush()
            os.fsync(marks.fileno())
            return marks.tell()


def forget_count(path: StoragePath) -> None:
    """Let `count_up` begin anew."""
    with naming_storage_errors(path):
        if isinstance(path, RemotePath):
            for mark in path.parent.glob(f"{path.name}.[0-9]*"):
                mark.unlink(missing_ok=True)
        else:
            path.unlink(missing_ok=True)


def _numbered(path: RemotePath, number: int) -> RemotePath:
    return path.with_name(f"{path.name}.{number}")


def all_there(paths: Iterable[tuple[StoragePath, StoragePath]]) -> bool:
    """Whether of each pair, in one folder all of them, one is there. A store is asked for the folder, once."""
    pairs = list(paths)
    if pairs and isinstance(pairs[0][0], RemotePath):
        there = {str(path) for path in pairs[0][0].parent.found_below()}
        return all(str(one) in there or str(other) in there for one, other in pairs)
    return all(one.exists() or other.exists() for one, other in pairs)


def require_exclusive(folder: StoragePath, retry_s: float) -> None:
    """Raise ConfigError unless a file can be written to `folder`, and a second time only over the first.

    A run decides by that which of several tasks goes on; a store that ignores the condition would let all of them.
    """
    if not isinstance(folder, RemotePath):
        return
    hasty = RemotePath(folder.root, folder.key, replace(folder.access, retry_s=retry_s))
    probe = hasty / f"_anonflow/probe-{secrets.token_hex(8)}"
    try:
        with naming_storage_errors(folder):
            first = claim(probe, b"first")
            second = claim(probe, b"second")
            probe.unlink()
    except StorageError as error:
        raise ConfigError(f"{folder} cannot be used: {error}") from error
    if (first, second) != (b"first", b"first"):
        raise ConfigError(
            f"{folder}: this store writes over an object although it was asked not to (If-None-Match), so that "
            "tasks could not be kept apart. Use a store that honours it, or runtime.work_dir=FOLDER."
        )
