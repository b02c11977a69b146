from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.formats.yolo import is_yolo, read_yolo
from tests.evaluate.formats.files import picture, write, yolo


def test_boxes_and_segments_are_shares(tmp_path: Path) -> None:
    yolo(tmp_path)
    got = read_yolo(tmp_path)
    face, plate = got.objects
    assert face.xyxy == pytest.approx((0.4, 0.3, 0.6, 0.7)) and face.label == "face"
    assert plate.xyxy == pytest.approx((0.1, 0.1, 0.3, 0.2)) and plate.label == "plate"
    assert got.items[0].in_shares and got.declared == ("face", "plate")


def test_a_picture_without_text_is_not_annotated_and_one_with_an_empty_text_has_nothing(tmp_path: Path) -> None:
    yolo(tmp_path, "")
    picture(tmp_path / "images" / "val" / "b.jpg")
    got = read_yolo(tmp_path)
    assert [item.path.name for item in got.items] == ["a.jpg"] and got.objects == ()


def test_texts_may_lie_beside_pictures_and_names_in_yaml(tmp_path: Path) -> None:
    picture(tmp_path / "x.png")
    write(tmp_path / "x.txt", "2 0.5 0.5 0.2 0.4")
    assert read_yolo(tmp_path).objects[0].label == "2"
    write(tmp_path / "data.yaml", "names: {2: plate}")
    assert read_yolo(tmp_path).objects[0].label == "plate"
    write(tmp_path / "data.yaml", "names: [a, b, face]")
    assert read_yolo(tmp_path).objects[0].label == "face"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 0.5 0.5 0.2", "line 2: there are 4 values"),
        ("0 0.5 0.5 0.2 1.4", "line 2: a value does not lie between 0 and 1"),
        ("9 0.5 0.5 0.2 0.4", "line 2: class 9 is not in the list"),
        ("0 0.5 0.5 0 0.4", "line 2: the box has no area"),
        ("0 0.5 0.5 nan 0.4", "line 2: a value is not finite"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, line: str, said: str) -> None:
    yolo(tmp_path, f"\n{line}\n")
    with pytest.raises(TruthError, match=said):
        read_yolo(tmp_path)


def test_recognised_by_content(tmp_path: Path) -> None:
    assert is_yolo(yolo(tmp_path)) and not is_yolo(tmp_path / "classes.txt")
    assert not is_yolo(write(tmp_path / "x.txt", "some words"))
