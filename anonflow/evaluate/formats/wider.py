"""WIDER FACE's text (Yang et al., CVPR 2016): a picture's name, the number of faces, and a line for each.

A face's line is `x y w h blur expression illumination invalid occlusion pose`. What is easy, medium and hard is
published as three lists (`wider_easy_val.mat`, ...); without them, faces are told apart by their height.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scipy.io import loadmat

from anonflow.evaluate.formats.reading import failure, group_of, is_picture, locate, numbers, read_text, solid_box
from anonflow.evaluate.ground import Annotated, Annotations, Item

NAME = "wider"
LABEL = "face"
LEVELS = ("easy", "medium", "hard")
"""Each includes the ones before it."""
HEIGHTS_PX = {"easy": 50, "medium": 30, "hard": 10}
"""Least height by the height rule, which is ours and not the published protocol."""
IGNORED = "ignored"
_ATTRIBUTES = {
    "blur": ("clear", "normal", "heavy"),
    "expression": ("typical", "exaggerated"),
    "illumination": ("normal", "extreme"),
    "invalid": ("no", "yes"),
    "occlusion": ("none", "partial", "heavy"),
    "pose": ("typical", "atypical"),
}
_REMEDY = "Give the text as WIDER FACE publishes it (wider_face_val_bbx_gt.txt)"
_BY_HEIGHT = (
    "WIDER levels by the height rule (easy: 50 px or more, medium: 30, hard: 10), not by the published lists; give "
    "them with data.wider_lists=FOLDER."
)

Lists = Mapping[str, Mapping[str, set[int]]]
"""For each level and picture, the numbers (from 0) of the faces that belong to it."""


def is_wider(path: Path) -> bool:
    """Whether the first line names a picture and the second is a count."""
    if path.suffix.lower() != ".txt":
        return False
    lines = read_text(path).splitlines()[:2]
    return len(lines) == 2 and is_picture(Path(lines[0].strip())) and lines[1].strip().isdigit()


def read_wider(path: Path, media: Path | None, lists: Path | None) -> Annotations:
    """The pictures and faces of a file."""
    lines = read_text(path).splitlines()
    levels = _lists(lists) if lists else None
    near = [path.parent, *(f / "images" for f in sorted(path.parent.parent.glob("WIDER_*")) if f.is_dir())]
    roots = [*([media] if media else []), *near, path.parent / "images"]
    items: list[Item] = []
    objects: list[Annotated] = []
    at = 0
    while at < len(lines):
        name = lines[at].strip()
        if not name:
            at += 1
            continue
        if not is_picture(Path(name)):
            raise failure(path, f"line {at + 1}", "there should be the name of a picture", _REMEDY)
        n_faces = _count(lines, at + 1, path)
        file = locate(name, roots, path, f"line {at + 1}")
        for number in range(n_faces):
            face = _face(lines, at + 2 + number, len(items), path)
            objects.append(_graded(face, _level(face, name, number, levels)))
        items.append(Item(file, path, group_of(Path(name), Path())))
        at += 2 + max(n_faces, _zero_lines(lines, at + 2) if n_faces == 0 else 0)
    return Annotations(NAME, tuple(items), tuple(objects), (LABEL,), () if levels else (_BY_HEIGHT,))


def _count(lines: list[str], at: int, path: Path) -> int:
    word = lines[at].strip() if at < len(lines) else ""
    if not word.isdigit():
        raise failure(path, f"line {at + 1}", "there should be the number of faces", _REMEDY)
    return int(word)


def _zero_lines(lines: list[str], at: int) -> int:
    """A picture without faces has a line of zeros in the published files."""
    words = lines[at].split() if at < len(lines) else []
    return int(len(words) >= 4 and set(words) == {"0"})


def _face(lines: list[str], at: int, item: int, path: Path) -> Annotated:
    place = f"line {at + 1}"
    if at >= len(lines):
        raise failure(path, place, "the file ends before all faces of a picture", _REMEDY)
    values = numbers(lines[at].split(), path, place, _REMEDY)
    if len(values) not in (4, 10):
        raise failure(path, place, f"there are {len(values)} values and not 4 or 10", _REMEDY)
    x, y, w, h = values[:4]
    attributes = {}
    for (name, words), value in zip(_ATTRIBUTES.items(), values[4:], strict=False):
        if value not in range(len(words)):
            raise failure(path, place, f"{name}={value:g} is none of 0 to {len(words) - 1}", _REMEDY)
        attributes[name] = words[int(value)]
    # The published files hold faces without an area, which the protocol counts nowhere.
    ignored = attributes.pop("invalid", "no") == "yes" or w <= 0 or h <= 0
    box = solid_box((x, y, x + w, y + h), path, place, may_be_empty=ignored)
    return Annotated(item, box, LABEL, place, ignored=ignored, attributes=attributes)


def _graded(face: Annotated, level: str) -> Annotated:
    attributes = {**face.attributes, "difficulty": level}
    return Annotated(face.item, face.xyxy, face.label, face.place, ignored=level == IGNORED, attributes=attributes)


def _level(face: Annotated, name: str, number: int, lists: Lists | None) -> str:
    if face.ignored:
        return IGNORED
    if lists is not None:
        key = Path(name).stem
        return next((level for level in LEVELS if number in lists[level].get(key, ())), IGNORED)
    height = face.xyxy[3] - face.xyxy[1]
    return next((level for level in LEVELS if height >= HEIGHTS_PX[level]), IGNORED)


def _lists(folder: Path) -> Lists:
    """The published lists: `file_list` and `gt_list` are cells by event, each of cells by picture."""
    found: dict[str, dict[str, set[int]]] = {}
    for level in LEVELS:
        path = folder / f"wider_{level}_val.mat"
        try:
            with path.open("rb") as file:
                content: dict[str, Any] = loadmat(file)
            files, faces = content["file_list"], content["gt_list"]
            found[level] = {
                str(name[0][0]): {int(n) - 1 for n in kept[0].ravel()}
                for event, lists in zip(files.ravel(), faces.ravel(), strict=True)
                for name, kept in zip(event, lists, strict=True)
            }
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise failure(
                path, "", f"it is not WIDER FACE's list ({error})", "Give the folder that has them"
            ) from error
    return found
