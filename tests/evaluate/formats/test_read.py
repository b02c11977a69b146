from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.formats.read import Data, read_ground_truth, recognise
from tests.evaluate.formats.files import CCPD, coco, cvat, mot, picture, voc, wider, write, yolo

LABELS = ("face", "plate")
BOX = {"bbox": [10, 20, 30, 40]}


def ccpd(folder: Path) -> Path:
    return picture(folder / CCPD)


MAKERS: dict[str, Callable[[Path], Path]] = {
    "coco": lambda folder: coco(folder, BOX),
    "wider": wider,
    "cvat": cvat,
    "voc": voc,
    "mot": mot,
    "yolo": yolo,
    "ccpd": ccpd,
}
MAPPED = {"coco": {"car": None}, "mot": {"1": "plate"}}


@pytest.mark.parametrize("name", MAKERS)
def test_every_format_is_recognised_and_read(tmp_path: Path, name: str) -> None:
    MAKERS[name](tmp_path)
    assert recognise(tmp_path) == name
    data = Data(tmp_path, labels=MAPPED.get(name, {}), unlabeled="exclude")
    got = read_ground_truth(data, LABELS)
    assert got.format == name and len(got.objects) and set(got.judged) <= set(LABELS)
    named = read_ground_truth(replace(data, format=name), LABELS)
    assert len(named.objects) == len(got.objects)


@pytest.mark.parametrize("name", ["coco", "cvat", "wider"])
def test_an_annotation_file_can_be_named_itself(tmp_path: Path, name: str) -> None:
    path = MAKERS[name](tmp_path)
    assert len(read_ground_truth(Data(path, labels=MAPPED.get(name, {})), LABELS).items)


def test_several_formats_must_be_told_apart(tmp_path: Path) -> None:
    coco(tmp_path)
    voc(tmp_path)
    with pytest.raises(TruthError, match=r"coco, voc.*data\.format"):
        recognise(tmp_path)
    with pytest.raises(TruthError, match="no annotations of a known format"):
        recognise(picture(tmp_path / "none" / "a.jpg").parent)
    with pytest.raises(TruthError, match="there is nothing"):
        read_ground_truth(Data(tmp_path / "nowhere"), LABELS)
    with pytest.raises(TruthError, match="no annotation in the format 'mot'"):
        read_ground_truth(Data(tmp_path, format="mot"), LABELS)


def test_several_files_of_a_format_that_has_one_are_refused(tmp_path: Path) -> None:
    coco(tmp_path)
    write(tmp_path / "more.json", (tmp_path / "annotations.json").read_text())
    with pytest.raises(TruthError, match=r"several annotation files \(annotations\.json, more\.json\)"):
        read_ground_truth(Data(tmp_path), LABELS)


@pytest.mark.parametrize("name", MAKERS)
def test_what_has_no_annotation_is_never_silently_empty(tmp_path: Path, name: str) -> None:
    MAKERS[name](tmp_path)
    kind = "mp4" if name in ("mot", "cvat") else "jpg"
    for lost in tmp_path.glob("clip_two.mp4"):
        lost.unlink()
    picture(tmp_path / f"lost.{kind}")
    data = Data(tmp_path, labels=MAPPED.get(name, {}))
    with pytest.raises(TruthError, match=rf"1 pictures or videos have no annotation: .*lost\.{kind}"):
        read_ground_truth(data, LABELS)
    excluded = read_ground_truth(replace(data, unlabeled="exclude"), LABELS)
    empty = read_ground_truth(replace(data, unlabeled="empty"), LABELS)
    assert excluded.excluded == 1 and empty.excluded == 0
    assert len(empty.items) == len(excluded.items) + 1 and len(empty.objects) == len(excluded.objects)
    assert empty.items[-1].path == tmp_path / f"lost.{kind}"


def test_a_format_of_many_files_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match="Give the folder"):
        read_ground_truth(Data(yolo(tmp_path)), LABELS)
