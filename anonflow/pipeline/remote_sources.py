"""Sources in an object store or behind HTTP: all below a prefix, a glob over keys, or one address."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

from anonflow.config import SourceConfig
from anonflow.errors import ConfigError, StorageError
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.pipeline.places import harmless, kind_of_name
from anonflow.remote.path import RemotePath
from anonflow.remote.stat import RemoteStat
from anonflow.storage import StoragePath, fingerprint
from anonflow.types import Source

_WILDCARDS = "*?["
_UNLISTED = ("http", "https")


def list_remote(
    path: RemotePath, output: StoragePath, config: SourceConfig, passed_over: Counter[str]
) -> list[Source]:
    """The sources that an address names.

    Raises:
        ConfigError: the store refuses to list, or does not answer.
    """
    try:
        return _list(path, output, config, passed_over)
    except FileNotFoundError as error:
        raise ConfigError(f"input={path}: there is no such bucket. Check the address.") from error
    except PermissionError as error:
        raise ConfigError(
            f"input={path}: cannot be read ({error.strerror}). Check credentials and policy."
        ) from error
    except (OSError, StorageError) as error:
        raise ConfigError(f"input={path}: cannot be read: {error}") from error


def _list(path: RemotePath, output: StoragePath, config: SourceConfig, passed_over: Counter[str]) -> list[Source]:
    if path.scheme in _UNLISTED:
        return [named_remotely(path, harmless(PurePosixPath(path.readable_key).name))]
    if path.key and path.is_file():
        return [named_remotely(path, harmless(path.name))]
    if any(sign in path.key for sign in _WILDCARDS):
        base, pattern = _before_wildcards(path)
        found = {p: s for p, s in base.globbed(pattern).items() if not _is_result(p, base, output)}
    else:
        base = path
        found = {p: s for p, s in path.found_below().items() if not _is_result(p, base, output)}
        found = {p: s for p, s in found.items() if _is_known(p, config, passed_over)}
    return [_source(p, harmless(p.key[len(base.key) :].removeprefix("/")), stat) for p, stat in found.items()]


def named_remotely(path: RemotePath, relative: str) -> Source:
    """A source that somebody named. If it cannot be asked for now, the plan stage says why."""
    try:
        return _source(path, relative, path.stat())
    except (OSError, StorageError):
        return _source(path, relative, RemoteStat(-1, 0, ""))


def _source(path: RemotePath, relative: str, found: RemoteStat) -> Source:
    version = found.etag or found.st_mtime_ns
    video_id = fingerprint([path.uri, found.st_size, version])
    return Source(path.uri, relative, video_id, found.st_size, found.st_mtime_ns, found.etag)


def _is_known(path: RemotePath, config: SourceConfig, passed_over: Counter[str]) -> bool:
    extensions = {e.lower().lstrip(".") for e in (*config.extensions, *config.picture_extensions)}
    is_known = path.suffix.lower().lstrip(".") in extensions
    if not is_known:
        passed_over[kind_of_name(path.name)] += 1
    return is_known


def _is_result(path: RemotePath, base: RemotePath, output: StoragePath) -> bool:
    """Whether it lies in the output, unless the input does so too, or is a run's own."""
    in_output = path.is_relative_to(output) and not base.is_relative_to(output)
    return in_output or CONTROL_FOLDER in path.key[len(base.key) :].split("/")


def _before_wildcards(path: RemotePath) -> tuple[RemotePath, str]:
    names = path.key.split("/")
    first = next(i for i, name in enumerate(names) if any(sign in name for sign in _WILDCARDS))
    base = RemotePath(path.root, "/".join(names[:first]), path.access)
    return base, "/".join(names[first:])
