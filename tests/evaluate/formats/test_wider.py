from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from anonflow.errors import TruthError
from anonflow.evaluate.formats.wider import is_wider, read_wider
from tests.evaluate.formats.files import WIDER, wider


def test_faces_attributes_and_pictures_without_faces(tmp_path: Path) -> None:
    got = read_wider(wider(tmp_path), None, None)
    assert [item.group for item in got.items] == ["0--Parade", "0--Parade", "1--Riot"]
    first, invalid, last = got.objects
    assert (first.item, last.item) == (0, 2) and first.xyxy == (10, 20, 40, 80) and first.place == "line 3"
    assert first.attributes == {
        "blur": "normal",
        "expression": "typical",
        "illumination": "normal",
        "occlusion": "heavy",
        "pose": "typical",
        "difficulty": "easy",
    }
    assert invalid.ignored and invalid.attributes["difficulty"] == "ignored"
    assert last.attributes["difficulty"] == "medium"


def test_the_height_rule_is_said_to_be_one(tmp_path: Path) -> None:
    (note,) = read_wider(wider(tmp_path), None, None).notes
    assert "height rule" in note and "wider_lists" in note


def lists(folder: Path, kept: dict[str, list[list[int]]]) -> Path:
    """Lists as published: cells by event, each of cells by picture, faces counted from 1."""
    folder.mkdir()
    for level, faces in kept.items():
        files, own = np.empty((2, 1), object), np.empty((2, 1), object)
        for event, names in enumerate((["one", "none"], ["two"])):
            files[event, 0] = column(list(names))
            own[event, 0] = column(
                [np.array(faces[2 * event + n], np.uint8).reshape(-1, 1) for n in range(len(names))]
            )
        savemat(folder / f"wider_{level}_val.mat", {"file_list": files, "gt_list": own})
    return folder


def column(cells: list[Any]) -> np.ndarray:
    made = np.empty((len(cells), 1), object)
    for row, cell in enumerate(cells):
        made[row, 0] = cell
    return made


def test_the_published_lists_decide(tmp_path: Path) -> None:
    levels = lists(tmp_path / "lists", {"easy": [[], [], []], "medium": [[1], [], []], "hard": [[1], [], [1]]})
    got = read_wider(wider(tmp_path), None, levels)
    assert [face.attributes["difficulty"] for face in got.objects] == ["medium", "ignored", "hard"]
    assert got.notes == ()


def test_missing_lists_are_named(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match=r"wider_easy_val\.mat.*Give the folder that has them"):
        read_wider(wider(tmp_path), None, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("10 20 30 60 1", "10 20 x 60 1", "line 3: a value is no number"),
        ("10 20 30 60 1 0 0 0 2 0", "10 20 30", "line 3: there are 3 values"),
        ("0--Parade/one.jpg\n2", "0--Parade/one.jpg\nmany", "line 2: there should be the number of faces"),
        ("0--Parade/one.jpg\n2", "0--Parade/one.jpg\n1", "line 4: there should be the name of a picture"),
        ("10 20 30 60 1 ", "10 20 30 60 7 ", "line 3: blur=7 is none of 0 to 2"),
        ("1--Riot/two.jpg\n1", "1--Riot/two.jpg\n2", "line 11: the file ends"),
        ("1--Riot/two.jpg", "1--Riot/lost.jpg", "line 8: it names 1--Riot/lost.jpg"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = wider(tmp_path, WIDER.replace(old, new))
    with pytest.raises(TruthError) as raised:
        read_wider(path, None, None)
    assert said in str(raised.value) and str(path) in str(raised.value)


def test_recognised_by_content(tmp_path: Path) -> None:
    assert is_wider(wider(tmp_path)) and not is_wider(tmp_path / "x.jpg")
