"""Refusing a run in which a result would take the place of an input, or of another result."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from anonflow.config import SourceConfig
from anonflow.errors import ConfigError
from anonflow.types import Source

CONTAINERS = (".mp4", ".mov", ".mkv", ".webm")


def output_path(output: Path, relative_path: str, container: str) -> Path:
    """Where the result of a source goes: its own relative path, with the new container added if it changed."""
    path = output / relative_path
    return path if path.suffix.lower() == container else path.with_name(f"{path.name}{container}")


def refuse_collisions(sources: Sequence[Source], output: Path, config: SourceConfig) -> None:
    """Raise ConfigError if a result could be written to a source, through links too, or two to one place.

    Which container a video's result gets is known only later, so all of them count; a picture's keeps its name.
    `output` has no links in it.
    """
    inputs = {_real(source.uri): source.uri for source in sources}
    taken: dict[str, str] = {}
    for source in sources:
        for result in _results(source, output, config):
            if overwritten := inputs.get(result):
                raise ConfigError(
                    f"The result of {source.uri} would overwrite the input {overwritten}. Choose another output."
                )
            if other := taken.get(result):
                raise ConfigError(f"{other} and {source.uri} could get the same output name. Rename one of them.")
            taken[result] = source.uri


def _results(source: Source, output: Path, config: SourceConfig) -> list[str]:
    """All paths that a source's result may get, each once."""
    if config.is_picture_name(source.uri):
        return [str(output / source.relative_path)]
    return list(dict.fromkeys(str(output_path(output, source.relative_path, c)) for c in CONTAINERS))


def _real(uri: str) -> str:
    """The path without links. Folders are looked up once: an archive has many files in few of them."""
    path = Path(uri)
    return str(path.resolve() if path.is_symlink() else _real_folder(path.parent) / path.name)


@lru_cache(maxsize=4096)
def _real_folder(folder: Path) -> Path:
    return folder.resolve()
