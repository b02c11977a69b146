"""Pascal VOC XML (Everingham et al., IJCV 2010): one file a picture. Corners count from 1 and are inclusive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anonflow.evaluate.formats.reading import failure, group_of, locate, numbers, solid_box
from anonflow.evaluate.formats.xml import Element, read_xml, root_tag
from anonflow.evaluate.ground import Annotated, Annotations, Item

NAME = "voc"
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_FLAGS = ("truncated", "occluded")
_REMEDY = "Correct it, or export the annotations again as Pascal VOC"


def is_voc(path: Path) -> bool:
    """Whether the file's root element is VOC's."""
    return path.suffix.lower() == ".xml" and root_tag(path) == "annotation"


def read_voc(files: Sequence[Path], root: Path, media: Path | None) -> Annotations:
    """One item a file; a file without objects is a picture that has none."""
    items: list[Item] = []
    objects: list[Annotated] = []
    for path in files:
        annotation = read_xml(path)
        objects += [_object(o, len(items), path) for o in annotation.all("object")]
        items.append(_item(annotation, path, root, media))
    return Annotations(NAME, tuple(items), tuple(objects))


def _item(annotation: Element, path: Path, root: Path, media: Path | None) -> Item:
    name = annotation.word("filename")
    if not name:
        raise failure(path, annotation.place, "it has no <filename>", _REMEDY)
    beside = path.parent.parent
    roots = [*([media] if media else []), path.parent, beside / "JPEGImages", beside / "images", beside]
    file = locate(name, roots, path, annotation.place)
    words = [annotation.word("size", side) for side in ("width", "height")]
    sides = [int(value) for value in numbers([word or "0" for word in words], path, annotation.place, _REMEDY)]
    return Item(file, path, group_of(path, root), sides[0], sides[1])


def _object(given: Element, item: int, path: Path) -> Annotated:
    label, corners = given.word("name"), [given.word("bndbox", corner) for corner in _CORNERS]
    if not label:
        raise failure(path, given.place, "it has no <name>", _REMEDY)
    if not all(corners):
        raise failure(path, given.place, f"its <bndbox> lacks one of {', '.join(_CORNERS)}", _REMEDY)
    x1, y1, x2, y2 = numbers(corners, path, given.place, _REMEDY)
    attributes = {flag: given.word(flag) for flag in _FLAGS if given.word(flag)}
    if pose := given.word("pose"):
        attributes["pose"] = pose
    return Annotated(
        item=item,
        xyxy=solid_box((x1 - 1, y1 - 1, x2, y2), path, given.place),
        label=label,
        place=given.place,
        ignored=given.word("difficult") == "1",
        attributes=attributes,
    )
