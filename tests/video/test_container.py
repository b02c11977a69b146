from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from anonflow.errors import (
    DamagedVideoError,
    NoSpaceError,
    NotAVideoError,
    SourceUnreadableError,
    WritePermissionError,
)
from anonflow.video.container import check_readable, open_source, video_stream, write_error

ClipPath = Callable[[str], Path]


def test_opens_names_that_look_like_addresses(clip: ClipPath, tmp_path: Path) -> None:
    path = tmp_path / "concat:a|b%03d.mp4"
    path.write_bytes(clip("plain.mp4").read_bytes())
    with open_source(path) as container:
        assert video_stream(container, path).codec_context.width == 96


def test_a_video_without_its_header_is_damaged_and_noise_is_no_video(clip: ClipPath, tmp_path: Path) -> None:
    content = clip("plain.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: content.find(b"moov") - 4])
    (tmp_path / "noise.mp4").write_bytes(bytes(n * n % 251 for n in range(9999)))
    with pytest.raises(DamagedVideoError), open_source(tmp_path / "cut.mp4"):
        pass
    with pytest.raises(NotAVideoError), open_source(tmp_path / "noise.mp4"):
        pass


def test_no_permission(clip: ClipPath, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, whom no mode bits stop.
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(SourceUnreadableError):
        check_readable(clip("plain.mp4"))


def test_write_errors_are_storage_or_none() -> None:
    path = Path("out.mp4")
    assert isinstance(write_error(OSError(errno.ENOSPC, "full"), path), NoSpaceError)
    assert isinstance(write_error(OSError(errno.EACCES, "no"), path), WritePermissionError)
    assert write_error(ValueError("odd"), path) is None
    assert write_error(OSError(errno.EPERM, "encoder"), path) is None
