from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.formats.coco import is_coco, read_coco
from tests.evaluate.formats.files import coco, write

BOX = {"bbox": [10, 20, 30, 40]}


def test_pictures_boxes_labels_and_attributes(tmp_path: Path) -> None:
    path = coco(
        tmp_path,
        BOX | {"area": 900, "pose": "side", "attributes": {"hat": True}},
        BOX | {"iscrowd": 1},
        BOX | {"ignore": 1},
        BOX | {"category_id": 2, "difficulty": "ignored"},
    )
    got = read_coco(path, None)
    assert [item.path for item in got.items] == [tmp_path / "images" / name for name in ("a.jpg", "b.jpg")]
    assert (got.items[0].width, got.items[0].height, got.items[0].group) == (100, 80, "images")
    first, crowd, ignored, car = got.objects
    assert first.xyxy == (10, 20, 40, 60) and first.area == 900 and first.label == "face"
    assert first.attributes == {"pose": "side", "hat": "True"} and first.place == "annotation 0"
    assert crowd.crowd and ignored.ignored and car.ignored and car.label == "car" and not first.ignored
    assert got.declared == ("face", "car")


def test_a_listed_picture_without_objects_is_an_item(tmp_path: Path) -> None:
    assert len(read_coco(coco(tmp_path), None).items) == 2


def test_pictures_can_be_elsewhere(tmp_path: Path) -> None:
    path = coco(tmp_path / "x")
    (tmp_path / "x" / "images").rename(tmp_path / "images")
    moved = path.rename(tmp_path / "x" / "y.json")
    with pytest.raises(TruthError, match=r"image 7: it names images/a\.jpg.*data\.media"):
        read_coco(write(tmp_path / "far" / "away" / "y.json", moved.read_text()), None)
    assert read_coco(tmp_path / "far" / "away" / "y.json", tmp_path).items[0].path == tmp_path / "images" / "a.jpg"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bbox": [1, 2, 3]}, "annotation 0: its bbox is not four numbers"),
        ({"bbox": [1, 2, "x", 4]}, "annotation 0: a value is no number"),
        ({"bbox": [1, 2, 0, 4]}, "annotation 0: the box has no area"),
        ({"bbox": [1, 2, 3, 4], "image_id": 99}, "image_id 99 is that of no image"),
        ({"bbox": [1, 2, 3, 4], "category_id": 9}, "category_id 9 is that of no category"),
    ],
)
def test_malformed_annotations_are_named(tmp_path: Path, wrong: dict[str, object], said: str) -> None:
    path = coco(tmp_path, wrong)
    with pytest.raises(TruthError) as raised:
        read_coco(path, None)
    assert said in str(raised.value) and str(path) in str(raised.value)


def test_broken_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", '{"images": [],\n "annotations": [}')
    with pytest.raises(TruthError, match="line 2: it is no JSON"):
        read_coco(path, None)
    with pytest.raises(TruthError, match="'categories': it is missing"):
        read_coco(write(path, '{"images": [], "annotations": []}'), None)


def test_recognised_by_content(tmp_path: Path) -> None:
    assert is_coco(coco(tmp_path)) and not is_coco(write(tmp_path / "b.json", '{"images": 1}'))
    assert not is_coco(write(tmp_path / "c.json", "{"))
