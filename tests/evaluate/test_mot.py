from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonflow.errors import ConfigError, TruthError
from anonflow.evaluate.mot import read_mot
from tests.streams import SHARED

TIMES_S = np.arange(4) / 10


@pytest.fixture
def read(tmp_path: Path) -> Any:
    path = tmp_path / "gt.txt"

    def reading(text: str, **options: Any) -> Any:
        path.write_text(text, encoding="utf-8")
        return read_mot(path, TIMES_S, 0.4, 100, 80, **options)

    return reading


def test_frames_count_from_0_and_boxes_have_corners(read: Any) -> None:
    truth = read("1,5,10.5,20,30,40,1,1,0.68\n4,5,11,20,30,40,1,1,1\n", label=3)
    assert truth.frames.tolist() == [0, 3] and truth.object_ids.tolist() == [5, 5]
    assert truth.xyxy.tolist() == [[10.5, 20, 40.5, 60], [11, 20, 41, 60]]
    assert truth.visible == pytest.approx([0.68, 1]) and truth.labels.tolist() == [3, 3]
    assert (truth.n_frames, truth.end_s, truth.width, truth.height) == (4, 0.4, 100, 80)


@pytest.mark.parametrize("rest", ["", ",1", ",1,1", ",-1,-1,-1,-1", ",1,4.4852,5.5016,0"])
def test_without_a_visibility_all_is_visible(read: Any, rest: Any) -> None:
    """With ten values, the last three are places in the world."""
    assert read(f"1,1,0,0,10,10{rest}").visible.tolist() == [1]


def test_any_order_empty_lines_and_spaces(read: Any) -> None:
    truth = read("3, 2, 0, 0, 10, 10\n\n1,1,0,0,10,10\r\n   \n3,1,0,0,20,10\n")
    assert truth.frames.tolist() == [0, 2, 2] and truth.object_ids.tolist() == [1, 2, 1]


def test_boxes_are_clipped_and_those_outside_left_out(read: Any) -> None:
    truth = read("1,1,-10,-5,20,10\n1,2,90,70,50,50\n1,3,100,0,10,10\n1,4,-10,0,10,10\n")
    assert truth.xyxy.tolist() == [[0, 0, 10, 5], [90, 70, 100, 80]]


def test_what_is_not_to_be_judged_is_left_out(read: Any) -> None:
    assert read("1,1,0,0,10,10,0\n1,2,0,0,10,10,1\n1,3,0,0,10,10,-1\n").object_ids.tolist() == [2, 3]


def test_an_empty_file_is_a_video_without_objects(read: Any) -> None:
    truth = read("")
    assert len(truth) == 0 and truth.n_frames == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("frame,id,x,y,w,h", "numbers"),
        ("1;1;0;0;10;10", "numbers"),
        ("1,1,0,0,10", "5 values"),
        ("1,1,0,0,10,10,1,1,1,1,1", "11 values"),
        ("1,1,nan,0,10,10", "finite"),
        ("1,1,0,0,inf,10", "finite"),
        ("1.5,1,0,0,10,10", "whole"),
        ("1,1.5,0,0,10,10", "whole"),
        ("0,1,0,0,10,10", "frame 0"),
        ("5,1,0,0,10,10", "1 to 4"),
        ("1,1,0,0,0,10", "width"),
        ("1,1,0,0,10,-1", "height"),
        ("1,1,0,0,10,10,1,1,2", "visibility"),
        ("2,7,0,0,10,10", "already, in line 1"),
    ],
)
def test_a_wrong_line_is_named_by_file_and_number(read: Any, tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(TruthError, match=message) as raised:
        read(f"2,7,0,0,10,10\n\n{line}\n")
    assert str(raised.value).startswith(f"{tmp_path / 'gt.txt'}, line 3:")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing.txt", binary):
        with pytest.raises(TruthError, match=path.name):
            read_mot(path, TIMES_S, 0.4, 100, 80)
    assert issubclass(TruthError, ConfigError), "wrong usage"


@pytest.mark.skipif(not SHARED.exists(), reason="the annotated videos are not on this machine")
def test_the_format_of_real_annotations() -> None:
    times_s = np.arange(150) / 25
    truth = read_mot(SHARED / "data/derived/pan_plates_gt.txt", times_s, 6.0, 1280, 720)
    assert len(np.unique(truth.object_ids)) == 9 and len(truth) > 400 and 0 < truth.visible.min() < 1
    stadt = SHARED / "data/mot/TUD-Stadtmitte/gt.txt"
    assert (read_mot(stadt, np.arange(179) / 25, 7.16, 640, 480).visible == 1).all()
