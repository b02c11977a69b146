from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.formats.mot import is_mot, read_mot_files
from tests.evaluate.formats.files import mot, picture, write


def test_lines_become_tracks(tmp_path: Path) -> None:
    got = read_mot_files([mot(tmp_path)], tmp_path, None)
    first, ignored = got.objects
    assert first.xyxy == (10, 20, 40, 60) and (first.frame, first.track_id, first.label) == (0, 5, "1")
    assert first.visible == 0.5 and not first.ignored and ignored.ignored and ignored.frame == 2
    assert got.items[0].path == tmp_path / "clip.mp4"


def test_the_video_with_the_longest_name_is_meant(tmp_path: Path) -> None:
    path = mot(tmp_path).rename(tmp_path / "clip_two_gt.txt")
    assert read_mot_files([path], tmp_path, None).items[0].path == tmp_path / "clip_two.mp4"


def test_a_sequence_folder_has_one_video(tmp_path: Path) -> None:
    video = picture(tmp_path / "S1" / "street.mkv")
    path = write(tmp_path / "S1" / "gt" / "gt.txt", "1,1,1,1,5,5\n")
    got = read_mot_files([path], tmp_path, None)
    assert got.items[0].path == video and got.objects[0].label == "-1" and got.items[0].group == "S1/gt"


def test_single_pictures_are_told_how_to_become_a_video(tmp_path: Path) -> None:
    picture(tmp_path / "S1" / "img1" / "000001.jpg")
    with pytest.raises(TruthError, match="ffmpeg"):
        read_mot_files([write(tmp_path / "S1" / "gt" / "gt.txt", "1,1,1,1,5,5\n")], tmp_path, None)


def test_malformed_lines_and_lost_videos_are_named(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match=r"clip_gt\.txt, line 2: .*in line 1"):
        read_mot_files([mot(tmp_path, "1,1,1,1,5,5\n1,1,2,2,5,5\n")], tmp_path, None)
    with pytest.raises(TruthError, match=r"line 1.*width and height"):
        read_mot_files([mot(tmp_path, "1,1,1,1,0,5\n")], tmp_path, None)
    with pytest.raises(TruthError, match=r"data\.media"):
        read_mot_files([write(tmp_path / "x" / "gone.txt", "1,1,1,1,5,5\n")], tmp_path, None)


def test_recognised_by_content(tmp_path: Path) -> None:
    assert (
        is_mot(mot(tmp_path)) and not is_mot(write(tmp_path / "b.txt", "1 2 3")) and not is_mot(tmp_path / "b.csv")
    )
