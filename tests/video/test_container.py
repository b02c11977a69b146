from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from anonflow.config import LimitsConfig
from anonflow.errors import (
    DamagedVideoError,
    LimitError,
    NoSpaceError,
    NotAVideoError,
    SourceUnreadableError,
    WritePermissionError,
)
from anonflow.video import container as container_module
from anonflow.video.container import check_readable, open_source, video_stream, write_error
from anonflow.video.probe import probe
from tests.media import Clip, make_clip

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


LIMITS = LimitsConfig(96 * 64, 2, 10.0, 40, 60.0)


def test_a_file_within_the_limits_is_read(clip: ClipPath) -> None:
    assert probe(clip("plain.mp4"), LIMITS).n_frames == 40


@pytest.mark.parametrize(
    ("name", "limit", "key"),
    [
        ("plain.mp4", {"max_pixels": 96 * 64 - 1}, "max_pixels"),
        ("mp2.ts", {"max_pixels": 96 * 64 - 1}, "max_pixels"),
        ("two.mkv", {}, "max_streams"),
        ("sound.mp4", {}, "max_streams"),
        ("plain.mp4", {"max_frames": 39}, "max_frames"),
        ("plain.mp4", {"max_duration_s": 1.5}, "max_duration_s"),
    ],
)
def test_a_file_beyond_a_limit_is_refused_and_told_which(
    clip: ClipPath, name: str, limit: dict[str, float], key: str
) -> None:
    from dataclasses import replace

    with pytest.raises(LimitError, match=f"limits.{key}") as caught:
        probe(clip(name), replace(LIMITS, **limit))
    assert name in str(caught.value) and caught.value.reason == "limit"


def test_a_huge_picture_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    """16000 x 16000 pixels would take 384 MB; the process may not have 64 MB more than it has."""
    import resource

    path = make_clip(
        tmp_path / "huge.avi", Clip(codec="mjpeg", pixel_format="yuvj420p", n_frames=2, options={}, width=128)
    )
    content = path.read_bytes().replace(
        b"\xff\xc0\x00\x11\x08\x00\x40\x00\x80", b"\xff\xc0\x00\x11\x08\x3e\x80\x3e\x80"
    )
    path.write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((LimitError, DamagedVideoError)):
        probe(path, LimitsConfig(1_000_000, 10, 1e6, 1000, 60.0))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_no_format_is_read_that_names_other_files() -> None:
    """Playlists and scripts (hls, dash, concat, imf), pictures in sequence, subtitles and devices are left out."""
    formats = set(container_module._FORMATS.split(","))
    assert not formats & {"hls", "dash", "concat", "concatf", "imf", "image2", "tty", "sdp", "rtsp", "lavfi", "rm"}
    options = container_module._OPTIONS
    assert (options["protocol_whitelist"], options["enable_drefs"]) == ("file", "0")
