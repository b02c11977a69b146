"""YOLO's text: a file a picture, a line `class x y w h` an object, as shares of the picture; x, y is the centre.

Lines of segments (`class x1 y1 x2 y2 ...`) count as their bounding box. Class names are in `classes.txt`,
`obj.names` or `data.yaml`; without them, a label is its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from anonflow.evaluate.formats.reading import (
    failure,
    files_below,
    group_of,
    is_picture,
    numbers,
    read_text,
    solid_box,
)
from anonflow.evaluate.ground import Annotated, Annotations, Item

NAME = "yolo"
NAME_FILES = ("classes.txt", "obj.names", "data.yaml")
_REMEDY = "Each line is: class x y w h, with shares of the picture from 0 to 1"
_ROUNDING = 1e-3


def is_yolo(path: Path) -> bool:
    """Whether the file's lines are a number and at least four shares; an empty file says nothing."""
    if path.suffix.lower() != ".txt" or path.name in NAME_FILES:
        return False
    for line in read_text(path).splitlines():
        words = line.split()
        if words:
            return len(words) >= 5 and words[0].isdigit() and all("." in w or w in "01" for w in words[1:])
    return False


def read_yolo(root: Path) -> Annotations:
    """One item for each picture below `root` that has its text: beside it, or in `labels` for one in `images`."""
    names = _names(root)
    items: list[Item] = []
    objects: list[Annotated] = []
    for picture in (path for path in files_below(root) if is_picture(path)):
        text = next((path for path in _texts(picture) if path.is_file()), None)
        if text is None:
            continue
        for number, line in enumerate(read_text(text).splitlines(), start=1):
            if line.strip():
                objects.append(_object(line.split(), len(items), names, text, f"line {number}"))
        items.append(Item(picture, text, group_of(picture, root), in_shares=True))
    return Annotations(NAME, tuple(items), tuple(objects), tuple(names.values()))


def _texts(picture: Path) -> list[Path]:
    beside = picture.with_suffix(".txt")
    parts = list(beside.parts)
    places = [n for n, part in enumerate(parts) if part == "images"]
    moved = [Path(*parts[: places[-1]], "labels", *parts[places[-1] + 1 :])] if places else []
    return [*moved, beside]


def _names(root: Path) -> Mapping[int, str]:
    for folder in (root, root.parent):
        for name in NAME_FILES:
            if (folder / name).is_file():
                return _named(folder / name)
    return {}


def _named(path: Path) -> dict[int, str]:
    if path.suffix == ".yaml":
        try:
            content = yaml.safe_load(read_text(path))
        except yaml.YAMLError as error:
            raise failure(path, "", f"it is no YAML ({str(error).splitlines()[0]})", "Correct it") from error
        names = content.get("names") if isinstance(content, dict) else None
        if isinstance(names, dict):
            return {int(number): str(name) for number, name in names.items()}
        if isinstance(names, list):
            return dict(enumerate(map(str, names)))
        raise failure(path, "", "it has no list 'names'", "Name the classes there")
    return dict(enumerate(line.strip() for line in read_text(path).splitlines() if line.strip()))


def _object(words: Sequence[str], item: int, names: Mapping[int, str], path: Path, place: str) -> Annotated:
    values = numbers(words, path, place, _REMEDY)
    if len(values) == 5:
        _, x, y, w, h = values
        box = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    elif len(values) >= 7 and len(values) % 2:
        xs, ys = values[1::2], values[2::2]
        box = (min(xs), min(ys), max(xs), max(ys))
    else:
        raise failure(path, place, f"there are {len(values)} values", _REMEDY)
    if not values[0].is_integer() or values[0] < 0 or (names and int(values[0]) not in names):
        raise failure(path, place, f"class {words[0]} is not in the list of names", "Add it, or correct the class")
    if any(not -_ROUNDING <= value <= 1 + _ROUNDING for value in values[1:]):
        raise failure(path, place, "a value does not lie between 0 and 1", _REMEDY)
    number = int(values[0])
    return Annotated(item, solid_box(box, path, place), names.get(number, str(number)), place)
