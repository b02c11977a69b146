"""From `data=PATH` to ground truth: which format it is in, what it holds, and what beside it has no annotation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from anonflow.config.evaluation import FORMATS
from anonflow.errors import TruthError
from anonflow.evaluate.formats import ccpd, coco, cvat, mot, voc, wider, yolo
from anonflow.evaluate.formats.reading import MEDIA, files_below, group_of, is_media
from anonflow.evaluate.ground import Annotations, GroundTruth, Item, ground_truth

_MAX_NAMED = 5


@dataclass(frozen=True)
class Data:
    """Where ground truth is and how it is to be read."""

    path: Path
    format: str | None = None
    """None: recognised by content."""
    labels: Mapping[str, str | None] = field(default_factory=dict)
    unlabeled: str = "error"
    """What pictures and videos without an annotation are: an `error`, left out (`exclude`), or `empty`."""
    media: Path | None = None
    """Where pictures and videos are, if not with the annotations."""
    wider_lists: Path | None = None
    """Folder of WIDER FACE's lists of easy, medium and hard faces."""


def read_ground_truth(data: Data, labels: tuple[str, ...]) -> GroundTruth:
    """The ground truth, labelled with the run's `labels`.

    Raises TruthError, which says what to do, for what cannot be read, for labels that are not mapped, and for
    pictures and videos without annotation unless `data.unlabeled` says what they are.
    """
    if not data.path.exists():
        raise TruthError(f"data={data.path}: there is nothing. Give an annotation file, or a folder that holds it.")
    name = data.format or recognise(data.path)
    found = _READERS[name](data)
    if not found.items:
        raise TruthError(
            f"{data.path}: no annotation in the format '{name}' is there. Set data.format, or the path."
        )
    missing = _without_annotation(found, data)
    if missing and data.unlabeled == "error":
        told = ", ".join(str(path) for path in missing[:_MAX_NAMED])
        raise TruthError(
            f"{data.path}: {len(missing)} pictures or videos have no annotation: {told}"
            f"{', ...' if len(missing) > _MAX_NAMED else ''}. Annotate them, leave them out with "
            "data.unlabeled=exclude, or say that nothing is in them with data.unlabeled=empty."
        )
    excluded = len(missing) if data.unlabeled == "exclude" else 0
    if data.unlabeled == "empty":
        root = _root(data)
        found = replace(found, items=(*found.items, *(Item(p, p, group_of(p, root)) for p in missing)))
    return ground_truth(found, labels, data.labels, data.path, excluded)


def recognise(path: Path) -> str:
    """The format by content; TruthError if it is none, or several."""
    files = [path] if path.is_file() else files_below(path)
    tests: dict[str, Callable[[Path], bool]] = {
        coco.NAME: coco.is_coco,
        wider.NAME: wider.is_wider,
        cvat.NAME: cvat.is_cvat,
        voc.NAME: voc.is_voc,
        mot.NAME: mot.is_mot,
        yolo.NAME: yolo.is_yolo,
        ccpd.NAME: lambda file: is_media(file) and ccpd.is_ccpd(file.name),
    }
    found = [name for name, is_it in tests.items() if any(is_it(file) for file in files)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise TruthError(
            f"{path}: no annotations of a known format. Known are: {', '.join(FORMATS)}; name one with data.format."
        )
    raise TruthError(
        f"{path}: annotations in several formats ({', '.join(found)}). Choose one with data.format, or give a file."
    )


def _files(data: Data, is_it: Callable[[Path], bool]) -> list[Path]:
    if data.path.is_file():
        return [data.path]
    return [path for path in files_below(data.path) if is_it(path)]


def _root(data: Data) -> Path:
    return data.path if data.path.is_dir() else data.path.parent


def _coco(data: Data) -> Annotations:
    return _one(data, coco.is_coco, lambda file: coco.read_coco(file, data.media))


def _wider(data: Data) -> Annotations:
    return _one(data, wider.is_wider, lambda file: wider.read_wider(file, data.media, data.wider_lists))


def _one(data: Data, is_it: Callable[[Path], bool], read: Callable[[Path], Annotations]) -> Annotations:
    files = _files(data, is_it)
    if len(files) > 1:
        named = ", ".join(path.name for path in files[:_MAX_NAMED])
        raise TruthError(f"{data.path}: several annotation files ({named}). Give one of them as data.")
    return read(files[0]) if files else Annotations(str(data.format), (), ())


def _folder(data: Data) -> Path:
    if data.path.is_file():
        raise TruthError(f"{data.path}: this format has a file for each picture. Give the folder that holds them.")
    return data.path


_READERS: dict[str, Callable[[Data], Annotations]] = {
    coco.NAME: _coco,
    wider.NAME: _wider,
    cvat.NAME: lambda data: cvat.read_cvat(_files(data, cvat.is_cvat), _root(data), data.media),
    voc.NAME: lambda data: voc.read_voc(_files(data, voc.is_voc), _root(data), data.media),
    mot.NAME: lambda data: mot.read_mot_files(_files(data, mot.is_mot), _root(data), data.media),
    yolo.NAME: lambda data: yolo.read_yolo(_folder(data)),
    ccpd.NAME: lambda data: ccpd.read_ccpd(_folder(data)),
}


def _without_annotation(found: Annotations, data: Data) -> list[Path]:
    """Pictures and videos of the folder that no annotation is about; only videos where only videos are annotated.

    A single file of annotations that was named by its user is about what it lists: then nothing is missing.
    """
    if data.path.is_file() and data.media is None:
        return []
    kinds = {item.path.suffix.lower() in MEDIA[:7] for item in found.items}
    known = {item.path for item in found.items}
    candidates = [path for path in files_below(data.media or data.path) if is_media(path) and path not in known]
    return [path for path in candidates if (path.suffix.lower() in MEDIA[:7]) in kinds]
