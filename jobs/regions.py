"""The file that `regions=` names: YAML, checked against `VideoRegions`, every mistake told with its line."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from anonflow.config import RegionConfig, TimeSpan, VideoRegions
from anonflow.errors import ConfigError, one_line
from anonflow.pipeline.sources import local_path

Place = tuple[str | int, ...]
"""Keys and positions that lead from the top of the file to a value."""

_PARTS: dict[str, type] = {"hide": RegionConfig, "keep": RegionConfig, "process": TimeSpan, "mute": TimeSpan}
_KEYS: dict[type, str] = {
    kind: ", ".join(f.name for f in fields(kind)) for kind in (VideoRegions, RegionConfig, TimeSpan)
}
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null")}
_UNKNOWN_KEY = "unexpected_keyword_argument"
_SHOWN_CHARACTERS = 60
_MEANT = {
    "dataclass_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "too_long": "has too many numbers",
    "float_type": "must be a number",
    "string_type": "must be text",
}


class _WrongError(Exception):
    """A mistake, and where it is: a node of the file, or the keys and positions that lead to one."""

    def __init__(self, where: yaml.Node | Place, message: str) -> None:
        super().__init__(message)
        self.where, self.message = where, message


def load_regions(given: str) -> list[VideoRegions]:
    """Read the regions file `given`.

    Raises:
        ConfigError: it cannot be read, or says something that is not understood; with file, line and remedy.
    """
    path = local_path(given)
    text = _read(path)
    tree: yaml.Node | None = None
    try:
        tree, values = _parse(text)
        return _entries(values)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _config_error(path, mark.line + 1 if mark else None, f"no valid YAML, {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise _config_error(path, line, f"no valid YAML, {error.reason}") from error
    except _WrongError as error:
        node = error.where if isinstance(error.where, yaml.Node) else _node_at(tree, error.where)
        raise _config_error(path, node.start_mark.line + 1 if node else None, error.message) from error


def _config_error(path: str, line: int | None, message: str) -> ConfigError:
    where = f"{path}, line {line}" if line else path
    return ConfigError(one_line(f"{where}: {message}. Correct the regions file; README.md shows one."))


def _read(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"regions={path} cannot be read ({error.strerror}). Name a YAML file of regions."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _config_error(path, line, "no UTF-8 text") from error


def _parse(text: str) -> tuple[yaml.Node | None, Any]:
    """The file as a tree of nodes, which know their lines, and as values."""
    loader = yaml.SafeLoader(text)
    try:
        tree = loader.get_single_node()
        if tree is None:
            raise _WrongError((), "there is nothing in it")
        return tree, _value(tree, loader, ())
    finally:
        loader.dispose()


def _value(node: yaml.Node, loader: yaml.SafeLoader, around: tuple[yaml.Node, ...]) -> Any:
    """A node's value, made of what JSON has; `around` are the nodes that it lies in."""
    if node in around:
        raise _WrongError(node, "a value cannot hold itself")
    if node.tag not in _TAGS:
        raise _WrongError(node, f"'{node.tag.rpartition(':')[2]}' has no meaning here; text needs quotes")
    inner = (*around, node)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, loader, inner)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, loader, inner) for item in node.value]
    try:
        return loader.construct_object(node)
    except ValueError as error:
        raise _WrongError(node, f"{node.value} cannot be read; text needs quotes") from error


def _mapping(node: yaml.MappingNode, loader: yaml.SafeLoader, inner: tuple[yaml.Node, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _WrongError(key, "a key must be a word")
        if key.value in values:
            raise _WrongError(key, f"the key '{key.value}' comes twice; remove one")
        values[key.value] = _value(value, loader, inner)
    return values


def _entries(values: Any) -> list[VideoRegions]:
    """The entries in types; of several mistakes the first is told."""
    if not isinstance(values, list) or not values:
        raise _WrongError((), "the file must be a list, with an entry '- videos: PATTERN' for each pattern")
    return [_entry(entry, number) for number, entry in enumerate(values)]


def _entry(entry: Any, number: int) -> VideoRegions:
    """Parts first: what a dataclass refuses by itself comes without its place, so each is tried in its own."""
    for key, parts in entry.items() if isinstance(entry, dict) else ():
        for position, part in enumerate(parts if key in _PARTS and isinstance(parts, list) else ()):
            _typed(_PARTS[key], part, (number, key, position))
    typed: VideoRegions = _typed(VideoRegions, entry, (number,))
    return typed


def _typed(kind: type, value: Any, place: Place) -> Any:
    """As JSON, of which a strict check makes tuples and floats; of Python's values it would ask for them."""
    try:
        return TypeAdapter(kind).validate_json(json.dumps(value), strict=True)
    except ConfigError as error:
        raise _WrongError(place, str(error)) from error
    except ValidationError as error:
        # A misspelt key is also a missing one; that it is unknown says more.
        first = min(error.errors(), key=lambda found: found["type"] != _UNKNOWN_KEY)
        raise _WrongError((*place, *first["loc"]), _meaning(kind, first)) from error


def _meaning(kind: type, error: Any) -> str:
    """A pydantic error in the words of the file."""
    name = ".".join(str(part) for part in error["loc"]) or "an entry"
    if error["type"] == _UNKNOWN_KEY:
        return f"unknown key '{name}'; known here: {_KEYS[kind]}"
    if error["type"] == "missing":
        return f"{name} is missing; a box has 4 numbers, a point 2" if "." in name else f"{name} is missing"
    given = json.dumps(error["input"], ensure_ascii=False)
    return f"{name} {_MEANT.get(error['type'], error['msg'])}, not {given[:_SHOWN_CHARACTERS]}"


def _node_at(tree: yaml.Node | None, place: Place) -> yaml.Node | None:
    """The node that a place leads to, or the last one on the way; of a value with a key, the key."""
    found, node = tree, tree
    for step in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            if step not in pairs:
                break
            found, node = pairs[str(step)]
    return found
