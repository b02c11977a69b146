"""From `input=` to sources: a file, a folder, a glob, or a list of files, local or in an object store."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.config import SourceConfig
from anonflow.errors import ConfigError
from anonflow.pipeline.collisions import refuse_collisions
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.pipeline.places import kind_of_name, relative_paths
from anonflow.pipeline.remote_sources import list_remote, named_remotely
from anonflow.remote.access import Access
from anonflow.remote.address import is_remote
from anonflow.remote.path import RemotePath
from anonflow.storage import StoragePath, arrow_source, fingerprint, located
from anonflow.types import Source

_LIST_SUFFIXES = {".txt", ".lst", ".parquet"}
_WILDCARDS = "*?["


@dataclass(frozen=True)
class Listing:
    """The sources of a run, and how many files of a folder were passed over, by extension."""

    sources: tuple[Source, ...]
    passed_over: dict[str, int]


def list_sources(given: str, output: StoragePath, config: SourceConfig, access: Access | None = None) -> Listing:
    """Find the sources that `given` names.

    Files named one by one (alone, by glob, in a list) are all taken; of a folder those with a known extension.
    Relative paths in a list are relative to the list. Files below `output` are no sources.

    Raises:
        ConfigError: there are none, they cannot be listed, or their results would collide.
    """
    access = access or Access()
    path, passed_over = located(given, access), Counter[str]()
    if isinstance(output, Path):
        output = Path(os.path.realpath(output))
    if path.suffix.lower() in _LIST_SUFFIXES and path.is_file():
        named = list(dict.fromkeys(located(line, access, path.parent) for line in _lines(path)))
        sources = [_source(found, relative) for found, relative in relative_paths(named)]
    elif isinstance(path, RemotePath):
        sources = list_remote(path, output, config, passed_over)
    else:
        sources = _list_local(given, path, output, config, passed_over)
    if not sources:
        raise ConfigError(_nothing_found(given, passed_over))
    refuse_collisions(sources, output, config)
    return Listing(tuple(sources), dict(passed_over))


def _list_local(
    given: str, path: Path, output: StoragePath, config: SourceConfig, passed_over: Counter[str]
) -> list[Source]:
    if path.is_dir():
        base, found = path, _known(_walk(path, output), config, passed_over)
    elif any(sign in given for sign in _WILDCARDS) and not path.exists():
        found = [p for p in map(Path, sorted(glob.glob(str(path), recursive=True))) if p.is_file()]
        found = [p for p in found if not _is_below(p, output)]
        base = _before_wildcards(path)
    else:
        base, found = path.parent, [path]
    return [_source(p, p.relative_to(base).as_posix()) for p in dict.fromkeys(found)]


def local_path(uri: str, base: Path | None = None) -> str:
    """Absolute local path of a path or a `file:` URI; other schemes are refused. `base`: of relative paths."""
    if is_remote(uri):
        raise ConfigError(f"{uri}: an address is not possible here; give a path or a file: URI.")
    return str(located(uri, Access(), base))


def _walk(folder: Path, output: StoragePath) -> list[Path]:
    """All files below `folder`, sorted; links to folders are not followed, so a loop cannot trap the walk."""

    def refuse(error: OSError) -> None:
        raise ConfigError(f"{error.filename}: cannot be listed ({error.strerror}). Make it readable.") from error

    real, found = Path(os.path.realpath(folder)), []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        here = Path(parent)
        there = real / here.relative_to(folder)
        folders[:] = sorted(f for f in folders if f != CONTROL_FOLDER and there / f != output)
        found += [here / name for name in sorted(names)]
    return found


def _known(paths: Iterable[Path], config: SourceConfig, passed_over: Counter[str]) -> list[Path]:
    extensions = (*config.extensions, *config.picture_extensions)
    known = {extension.lower().lstrip(".") for extension in extensions}
    found = []
    for path in paths:
        if path.suffix.lower().lstrip(".") in known:
            found.append(path)
        else:
            passed_over[kind_of_name(path.name)] += 1
    return found


def _lines(path: StoragePath) -> list[str]:
    """Entries of a list: lines of a text file (blank ones and `#` comments aside), or a Parquet column `uri`."""
    if path.suffix.lower() != ".parquet":
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
        lines = (line.removesuffix("\r") for line in text.split("\n"))
        return [line for line in lines if line.strip() and not line.startswith("#")]
    try:
        table = pq.read_table(arrow_source(path))
    except pa.ArrowInvalid as error:
        raise ConfigError(f"{path}: not a readable Parquet file ({error}).") from error
    if "uri" not in table.column_names:
        raise ConfigError(f"{path}: the list has no column 'uri', only: {', '.join(table.column_names)}.")
    return [str(value) for value in table["uri"].to_pylist()]


def _source(path: StoragePath, relative: str) -> Source:
    if isinstance(path, RemotePath):
        return named_remotely(path, relative)
    uri = str(path)
    if not uri.isprintable() and not _is_unicode(uri):
        uri, relative = path.as_uri(), quote(os.fsencode(relative))
    try:
        found = path.stat()
        size, modified = found.st_size, found.st_mtime_ns
    except OSError:  # the plan stage looks again and says what is wrong
        size, modified = -1, 0
    return Source(uri, relative, fingerprint([uri, size, modified]), size, modified)


def _is_unicode(name: str) -> bool:
    """Whether a name is text, and not bytes of another encoding that Python carries along as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _before_wildcards(path: Path) -> Path:
    parts = path.parts
    first = next(i for i, part in enumerate(parts) if any(sign in part for sign in _WILDCARDS))
    return Path(*parts[:first])


def _is_below(path: Path, folder: StoragePath) -> bool:
    is_result = isinstance(folder, Path) and Path(os.path.realpath(path)).is_relative_to(folder)
    return is_result or CONTROL_FOLDER in path.parts


def _nothing_found(given: str, passed_over: Counter[str]) -> str:
    if not passed_over:
        return f"input={given}: no files there. Give a video, a picture, a folder, a glob in quotes, or a list."
    seen = ", ".join(f"{count} {extension}" for extension, count in passed_over.most_common(5))
    return (
        f"input={given}: no videos or pictures there ({seen}). Name files one by one, or extend source.extensions."
    )
