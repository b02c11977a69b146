"""COCO JSON (https://cocodataset.org/#format-data): pictures with boxes.

Scalar keys of an annotation that the format does not define, and those of a dictionary `attributes` (as CVAT writes
it), become attributes of the object. `ignore: 1` and `difficulty: ignored` mark what is not to be judged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anonflow.evaluate.formats.reading import failure, group_of, locate, numbers, read_text, solid_box
from anonflow.evaluate.ground import Annotated, Annotations, Item

NAME = "coco"
_DEFINED = {"id", "image_id", "category_id", "bbox", "area", "iscrowd", "ignore", "segmentation", "attributes"}
_REMEDY = "Export the annotations again as COCO JSON"


def is_coco(path: Path) -> bool:
    """Whether the file is JSON with the two lists that every COCO file has."""
    if path.suffix.lower() != ".json":
        return False
    try:
        content = json.loads(read_text(path))
    except ValueError:
        return False
    return isinstance(content, dict) and {"images", "annotations"} <= content.keys()


def read_coco(path: Path, media: Path | None) -> Annotations:
    """The pictures and objects of a file. A picture that is listed and has no objects has none."""
    content = _content(path)
    categories = {c.get("id"): str(c.get("name")) for c in _dicts(content, "categories", path)}
    roots = [*([media] if media else []), path.parent, path.parent / "images", path.parent.parent]
    items, places = [], {}
    for position, image in enumerate(_dicts(content, "images", path)):
        place = f"image {image.get('id', position)}"
        if not isinstance(image.get("file_name"), str) or image.get("id") is None:
            raise failure(path, place, "it has no id or no file_name", _REMEDY)
        if image["id"] in places:
            raise failure(path, place, "its id is taken by an earlier image", _REMEDY)
        places[image["id"]] = position
        file = locate(image["file_name"], roots, path, place)
        size = (int(image.get("width") or 0), int(image.get("height") or 0))
        items.append(Item(file, path, group_of(file, media or path.parent), *size))
    objects = tuple(_object(a, path, places, categories) for a in _dicts(content, "annotations", path))
    return Annotations(NAME, tuple(items), objects, tuple(categories.values()))


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise failure(path, f"line {error.lineno}", f"it is no JSON ({error.msg})", _REMEDY) from error
    if not isinstance(content, dict):
        raise failure(path, "line 1", "it is no JSON object", _REMEDY)
    return content


def _dicts(content: Mapping[str, Any], name: str, path: Path) -> list[dict[str, Any]]:
    found = content.get(name)
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise failure(path, f"'{name}'", "it is missing, or no list of objects", _REMEDY)
    return found


def _object(given: dict[str, Any], path: Path, places: dict[Any, int], categories: dict[Any, str]) -> Annotated:
    place = f"annotation {given.get('id', '(without id)')}"
    if given.get("image_id") not in places:
        raise failure(path, place, f"its image_id {given.get('image_id')} is that of no image", _REMEDY)
    if given.get("category_id") not in categories:
        raise failure(path, place, f"its category_id {given.get('category_id')} is that of no category", _REMEDY)
    box = given.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise failure(path, place, "its bbox is not four numbers: x, y, width, height", _REMEDY)
    x, y, w, h = numbers(box, path, place, _REMEDY)
    attributes = _attributes(given)
    ignored = bool(given.get("ignore")) or attributes.get("difficulty") == "ignored"
    crowd = bool(given.get("iscrowd"))
    area = given.get("area")
    return Annotated(
        item=places[given["image_id"]],
        xyxy=solid_box((x, y, x + w, y + h), path, place, may_be_empty=ignored or crowd),
        label=categories[given["category_id"]],
        place=place,
        ignored=ignored,
        crowd=crowd,
        area=float(area) if isinstance(area, int | float) else None,
        attributes=attributes,
    )


def _attributes(given: dict[str, Any]) -> dict[str, str]:
    named = given.get("attributes")
    extra = {name: value for name, value in given.items() if name not in _DEFINED}
    both = {**extra, **(named if isinstance(named, dict) else {})}
    return {str(name): str(value) for name, value in both.items() if isinstance(value, str | int | bool)}
