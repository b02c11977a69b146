from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.formats import reading
from anonflow.evaluate.formats.reading import files_below, group_of, locate, one_of_stem, read_text, solid_box
from tests.evaluate.formats.files import picture, write


def test_text_must_be_text_and_of_a_sane_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfok")
    assert read_text(path) == "ok"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(TruthError, match="cannot be read as UTF-8"):
        read_text(path)
    monkeypatch.setattr(reading, "MAX_BYTES", 3)
    with pytest.raises(TruthError, match="more than 3 bytes"):
        read_text(write(path, "long"))


def test_files_of_runs_and_hidden_folders_are_left_out(tmp_path: Path) -> None:
    kept = picture(tmp_path / "a" / "b.jpg")
    picture(tmp_path / "_anonflow" / "c.jpg")
    picture(tmp_path / ".cache" / "d.jpg")
    assert files_below(tmp_path) == [kept] and files_below(tmp_path / "nowhere") == []


def test_files_are_found_in_the_first_folder_that_has_them(tmp_path: Path) -> None:
    picture(tmp_path / "two" / "a.jpg")
    found = locate("a.jpg", [tmp_path / "one", tmp_path / "two"], tmp_path / "x.json", "image 1")
    assert found == tmp_path / "two" / "a.jpg"
    assert group_of(found, tmp_path) == "two" and group_of(found, tmp_path / "two") == ""
    assert group_of(found, tmp_path / "else") == ""


def test_a_video_is_found_by_the_beginning_of_the_name(tmp_path: Path) -> None:
    videos = [tmp_path / name for name in ("a.mp4", "ab.mp4", "b.mp4")]
    assert one_of_stem(tmp_path / "ab_gt.txt", videos) == videos[1]
    assert one_of_stem(tmp_path / "x.txt", videos) is None


def test_only_what_is_not_judged_may_be_empty(tmp_path: Path) -> None:
    assert solid_box((1, 1, 1, 1), tmp_path, "line 1", may_be_empty=True) == (1, 1, 1, 1)
    with pytest.raises(TruthError, match="line 1: the box has no area"):
        solid_box((1, 1, 1, 1), tmp_path, "line 1")
