"""Where results go; refusing those that would take the place of an input or another result, or lie elsewhere."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from anonflow.config import SourceConfig
from anonflow.errors import ConfigError, SourceError
from anonflow.remote.access import Access
from anonflow.remote.address import is_remote
from anonflow.remote.path import RemotePath
from anonflow.storage import StoragePath
from anonflow.types import Source

CONTAINERS = (".mp4", ".mov", ".mkv", ".webm")
_MAX_NAME_BYTES = 255
"""What all usual file systems allow."""
_MAX_EXTENSION_BYTES = 10


def output_path(output: StoragePath, relative_path: str, container: str) -> StoragePath:
    """Where the result of a source goes: its own relative path, with the new container added if it changed."""
    path = output / relative_path
    return path if path.suffix.lower() == container else path.with_name(_with_container(path, container))


def require_inside(target: StoragePath, output: StoragePath, source: str) -> None:
    """Raise SourceError if a link on the way leads `target` out of `output`. A store has none."""
    if isinstance(target, RemotePath) or isinstance(output, RemotePath):
        return
    if not Path(os.path.realpath(target.parent)).is_relative_to(os.path.realpath(output)):
        raise SourceError(
            f"{source}: its result would land outside of {output}, through a link in it. Remove the link or choose "
            "another output."
        )


def _with_container(path: StoragePath, container: str) -> str:
    """The name with the container added; of one that gets too long, the beginning and a digest of the whole."""
    name = f"{path.name}{container}"
    if len(os.fsencode(name)) <= _MAX_NAME_BYTES:
        return name
    extension = path.suffix if len(os.fsencode(path.suffix)) <= _MAX_EXTENSION_BYTES else ""
    end = f"~{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12]}{extension}{container}"
    beginning = os.fsencode(path.stem)[: _MAX_NAME_BYTES - len(os.fsencode(end))]
    return f"{beginning.decode(errors='ignore')}{end}"


def refuse_collisions(sources: Sequence[Source], output: StoragePath, config: SourceConfig) -> None:
    """Raise ConfigError if a result could be written to a source, through links too, or two to one place.

    Which container a video's result gets is known only later, so all of them count; a picture's keeps its name.
    `output` has no links in it. Names are compared by their hashes first, which take a tenth of their memory.
    """
    inputs = np.fromiter((hash(_real(source.uri)) for source in sources), np.int64)
    results = np.fromiter(
        (hash(r) for source in sources for r in possible_results(source, output, config)), np.int64
    )
    values, counts = np.unique(results, return_counts=True)
    suspicious = {*values[counts > 1].tolist(), *np.intersect1d(values, inputs).tolist()}
    if suspicious:
        _refuse(sources, suspicious, output, config)


def _refuse(sources: Sequence[Source], suspicious: set[int], output: StoragePath, config: SourceConfig) -> None:
    """Compare the names with these hashes."""
    inputs = {_real(source.uri): source.uri for source in sources}
    taken: dict[str, str] = {}
    for source in sources:
        for result in possible_results(source, output, config):
            if hash(result) not in suspicious:
                continue
            if overwritten := inputs.get(result):
                raise ConfigError(
                    f"The result of {source.uri} would overwrite the input {overwritten}. Choose another output."
                )
            if other := taken.get(result):
                raise ConfigError(f"{other} and {source.uri} could get the same output name. Rename one of them.")
            taken[result] = source.uri


def possible_results(source: Source, output: StoragePath, config: SourceConfig) -> list[str]:
    """All paths that a source's result may get below `output`, each once."""
    if config.is_picture_name(source.relative_path):
        return [str(output / source.relative_path)]
    return list(dict.fromkeys(str(output_path(output, source.relative_path, c)) for c in CONTAINERS))


def _real(uri: str) -> str:
    """The path without links; of links in a circle, one of them. Folders, which hold many files, once each."""
    if is_remote(uri):
        return str(RemotePath.of(uri, Access()))
    path = Path(uri)
    return os.path.realpath(path) if path.is_symlink() else str(_real_folder(path.parent) / path.name)


@lru_cache(maxsize=4096)
def _real_folder(folder: Path) -> Path:
    return Path(os.path.realpath(folder))
