from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from anonflow.errors import NotAVideoError
from anonflow.video.inventory import take_inventory
from anonflow.video.probe import probe
from tests.carrying import SECRET, run_ffmpeg

RichPath = Callable[[str], Path]


@pytest.mark.parametrize(
    ("extension", "names"),
    [
        (".mp4", ["audio:aac", "subtitle:mov_text", "chapter track", "cover:mjpeg"]),
        (".mov", ["audio:aac", "subtitle:mov_text", "chapter track", "data:tmcd"]),
        (".mkv", ["audio:aac", "subtitle:subrip", "attachment:font/ttf", "cover:mjpeg"]),
    ],
)
def test_every_stream_has_its_kind_and_codec(rich: RichPath, extension: str, names: list[str]) -> None:
    found = take_inventory(rich(extension), 0)
    assert [part.name for part in found.parts] == names
    assert found.picture.codec == "h264" and found.picture.kind == "video"
    assert found.keys["title"] == SECRET
    assert [chapter.start_s for chapter in found.chapters] == [0, Fraction(9, 10)]


def test_more_video_streams_are_just_streams(tmp_path: Path, rich: RichPath) -> None:
    both = tmp_path / "two.mkv"
    run_ffmpeg("-i", rich(".mkv"), "-i", rich(".mp4"), "-map", "0:v:0", "-map", "1:v:0", "-c", "copy", both)
    found = take_inventory(both, probe(both).stream_index)
    assert [part.name for part in found.parts] == ["video:h264"]


def test_names_of_streams_hold_nothing_that_somebody_wrote(rich: RichPath) -> None:
    for extension in (".mp4", ".mov", ".mkv"):
        assert all(SECRET not in part.name for part in take_inventory(rich(extension), 0).parts)


def test_a_text_has_no_inventory(tmp_path: Path) -> None:
    path = tmp_path / "notes.mkv"
    path.write_text("nothing")
    with pytest.raises(NotAVideoError):
        take_inventory(path, 0)
