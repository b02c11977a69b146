"""CVAT's XML ("CVAT for video" with tracks, "CVAT for images"), https://docs.cvat.ai/docs/dataset_management/formats/.

Boxes that are `outside` are not there. `occluded` and all named attributes become attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anonflow.evaluate.formats.reading import (
    VIDEOS,
    Box,
    failure,
    group_of,
    locate,
    numbers,
    one_of_stem,
    solid_box,
)
from anonflow.evaluate.formats.xml import Element, read_xml, root_tag
from anonflow.evaluate.ground import Annotated, Annotations, Item

NAME = "cvat"
_CORNERS = ("xtl", "ytl", "xbr", "ybr")
_REMEDY = "Export the task again from CVAT"


def is_cvat(path: Path) -> bool:
    """Whether the file's root element is CVAT's."""
    return path.suffix.lower() == ".xml" and root_tag(path) == "annotations"


def read_cvat(files: Sequence[Path], root: Path, media: Path | None) -> Annotations:
    """Videos and pictures of all files."""
    items: list[Item] = []
    objects: list[Annotated] = []
    declared: list[str] = []
    for path in files:
        annotations = read_xml(path)
        declared += _labels(annotations)
        tracks, images = list(annotations.all("track")), list(annotations.all("image"))
        for image in images:
            objects += [_box(b, len(items), path, b.attributes.get("label", "")) for b in image.all("box")]
            items.append(_image(image, path, root, media))
        if tracks or not images:
            for track in tracks:
                objects += _track(track, len(items), path)
            items.append(_video(annotations, path, root, media))
    return Annotations(NAME, tuple(items), tuple(objects), tuple(dict.fromkeys(declared)))


def _task(annotations: Element) -> Element | None:
    meta = annotations.child("meta")
    return next((c for c in meta.children if c.tag in ("task", "job")), None) if meta else None


def _labels(annotations: Element) -> list[str]:
    task = _task(annotations)
    labels = task.child("labels") if task else None
    return [label.word("name") for label in labels.all("label") if label.word("name")] if labels else []


def _video(annotations: Element, path: Path, root: Path, media: Path | None) -> Item:
    meta, task = annotations.child("meta"), _task(annotations)
    if task and task.word("frame_filter"):
        raise failure(
            path, task.place, "its frames are only some of the video's (frame_filter)", "Annotate all frames"
        )
    if task and task.word("start_frame") not in ("", "0"):
        raise failure(
            path, task.place, "it does not begin with the first frame (start_frame)", "Annotate all frames"
        )
    roots = [*([media] if media else []), path.parent]
    names = [word for word in (meta.word("source") if meta else "", task.word("source") if task else "") if word]
    file = next((folder / name for folder in roots for name in names if (folder / name).is_file()), None)
    for folder in roots:
        videos = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in VIDEOS]
        file = file or one_of_stem(folder / path.name, videos)
    if file is None:
        raise failure(
            path, "", f"its video ({', '.join(names) or 'unnamed'}) is not beside it", "Set data.media=FOLDER"
        )
    size = meta.child("original_size") or (task.child("original_size") if task else None) if meta else None
    sides = [size.word(side) or "0" for side in ("width", "height")] if size else ["0", "0"]
    width, height = numbers(sides, path, "<original_size>", _REMEDY)
    return Item(file, path, group_of(path, root), int(width), int(height))


def _image(image: Element, path: Path, root: Path, media: Path | None) -> Item:
    name = image.attributes.get("name", "")
    roots = [*([media] if media else []), path.parent, path.parent / "images"]
    file = locate(name, roots, path, image.place)
    sides = [image.attributes.get(side, "0") for side in ("width", "height")]
    width, height = numbers(sides, path, image.place, _REMEDY)
    return Item(file, path, group_of(file, media or root), int(width), int(height))


def _track(track: Element, item: int, path: Path) -> list[Annotated]:
    label = track.attributes.get("label", "")
    number = track.attributes.get("id", "")
    if not number.isdigit():
        raise failure(path, track.place, "it has no id", _REMEDY)
    rows: list[Annotated] = []
    for box in track.all("box"):
        frame = box.attributes.get("frame", "")
        if not frame.isdigit():
            raise failure(path, box.place, "it has no frame", _REMEDY)
        if box.attributes.get("outside") != "1":
            rows.append(_box(box, item, path, label, int(frame), int(number)))
    if len({row.frame for row in rows}) < len(rows):
        raise failure(path, track.place, "it has two boxes in one frame", _REMEDY)
    return rows


def _box(box: Element, item: int, path: Path, label: str, frame: int = 0, track_id: int = -1) -> Annotated:
    if not label:
        raise failure(path, box.place, "it has no label", _REMEDY)
    if missing := [corner for corner in _CORNERS if corner not in box.attributes]:
        raise failure(path, box.place, f"it lacks {missing[0]}", _REMEDY)
    x1, y1, x2, y2 = numbers([box.attributes[corner] for corner in _CORNERS], path, box.place, _REMEDY)
    corners: Box = solid_box((x1, y1, x2, y2), path, box.place)
    named = {a.attributes.get("name", ""): a.text.strip() for a in box.all("attribute")}
    occluded = {"occluded": "yes" if box.attributes.get("occluded") == "1" else "no"}
    return Annotated(item, corners, label, box.place, frame=frame, track_id=track_id, attributes=occluded | named)
