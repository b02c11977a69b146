from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from anonflow.video.extent import has_container_signature, missing_bytes

ClipPath = Callable[[str], Path]
SIZED = ["plain.mp4", "fragmented.mp4", "pcm.mov", "two.mkv", "mjpeg.avi", "vp8.webm"]


@pytest.mark.parametrize("name", [*SIZED, "opengop.ts"])
def test_whole_files_miss_nothing(clip: ClipPath, name: str) -> None:
    assert missing_bytes(clip(name)) == 0


@pytest.mark.parametrize("name", SIZED)
def test_cut_files_miss_what_was_cut_of_the_last_part(clip: ClipPath, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(clip(name).read_bytes()[:-20])
    assert missing_bytes(tmp_path / name) == 20
    assert has_container_signature(tmp_path / name)


@pytest.mark.parametrize("tail", [b"\0" * 64, b"appended by a backup tool, who knows why", b"\xff" * 9])
def test_appended_bytes_are_no_damage(clip: ClipPath, tmp_path: Path, tail: bytes) -> None:
    (tmp_path / "long.mp4").write_bytes(clip("plain.mp4").read_bytes() + tail)
    assert missing_bytes(tmp_path / "long.mp4") == 0


def test_other_files_announce_nothing(tmp_path: Path) -> None:
    for content in (b"", b"words", b"\x1a\x45\xdf\xa3", b"RIFF\xff\xff\xff\xffWAVE" * 3):
        (tmp_path / "file").write_bytes(content)
        assert missing_bytes(tmp_path / "file") == 0
    assert not has_container_signature(tmp_path / "file")
