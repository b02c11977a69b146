"""Where the result of a source belongs below the output if sources are named one by one; what a name tells."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from anonflow.remote.path import RemotePath
from anonflow.storage import StoragePath


def relative_paths(paths: Sequence[StoragePath]) -> Iterator[tuple[StoragePath, str]]:
    """Each path with its place below the folder that all have in common.

    Of several stores, or local files beside remote ones, the first folders are scheme and bucket.
    """
    roots = {path.root if isinstance(path, RemotePath) else "" for path in paths}
    whole = {path: _whole(path, is_alone=len(roots) == 1) for path in paths}
    base = os.path.commonpath([PurePosixPath(name).parent for name in whole.values()]) if paths else ""
    for path, name in whole.items():
        below = PurePosixPath(name).relative_to(base).as_posix() if isinstance(path, Path) else name[len(base) :]
        yield path, harmless(below.lstrip("/"))


def _whole(path: StoragePath, *, is_alone: bool) -> str:
    if isinstance(path, RemotePath):
        key = harmless(path.readable_key)
        return f"/{key}" if is_alone else f"/{path.scheme}/{path.root.partition('://')[2]}/{key}"
    return str(path) if is_alone else f"/file{path}"


def harmless(key: str) -> str:
    """A key as a path that stays below where it is put: folders without a name, or named `.` or `..`, get one."""
    names = {"": "%2F", ".": "%2E", "..": "%2E%2E"}
    return "/".join(names.get(part, part) for part in key.split("/")).replace("\0", "%00")


def kind_of_name(name: str) -> str:
    """A file's extension for the report, unless it is one of a kind that may say more than that."""
    extension = PurePosixPath(name).suffix.lower()
    if not extension:
        return "(none)"
    return extension if len(extension) <= 6 and extension[1:].isalnum() else "(other)"
