from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.formats.voc import is_voc, read_voc
from tests.evaluate.formats.files import VOC, cvat, voc


def test_corners_count_from_one_and_are_inclusive(tmp_path: Path) -> None:
    path = voc(tmp_path)
    got = read_voc([path], tmp_path, None)
    plate, difficult = got.objects
    assert plate.xyxy == (10, 20, 60, 40) and plate.label == "plate" and not plate.ignored
    assert plate.attributes == {"truncated": "1", "pose": "Rear"} and difficult.ignored
    assert got.items[0].path == tmp_path / "JPEGImages" / "car.jpg"
    assert (got.items[0].width, got.items[0].height) == (640, 480)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<xmin>11</xmin>", "", r"line 4 \(<object>\): its <bndbox> lacks"),
        ("<xmin>11</xmin>", "<xmin>a</xmin>", "line 4 .*no number"),
        ("<xmin>11</xmin>", "<xmin>99</xmin>", "line 4 .*no area"),
        ("<name>plate</name><pose>", "<pose>", "line 4 .*no <name>"),
        ("<filename>car.jpg</filename>", "", "line 1 .*no <filename>"),
        ("car.jpg", "gone.jpg", "it names gone.jpg"),
    ],
)
def test_malformed_elements_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(TruthError, match=said):
        read_voc([voc(tmp_path, VOC.replace(old, new, 1))], tmp_path, None)


def test_recognised_by_its_root(tmp_path: Path) -> None:
    assert is_voc(voc(tmp_path)) and not is_voc(cvat(tmp_path / "c"))
