from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from anonflow.errors import UnsupportedFormatError
from anonflow.types import AudioStream, FrameIndex, StreamFormat
from anonflow.video.target import choose_container

FORMAT = StreamFormat("h264", "yuv420p", 96, 64, None, 0, 0, 2, 2, 2)


def _index(*codecs: str, time_base: Fraction = Fraction(1, 1000), first: int = 0) -> FrameIndex:
    audio = tuple(AudioStream(n + 1, codec, 9) for n, codec in enumerate(codecs))
    pts = first + np.array([0, 41, 83])
    return FrameIndex("x", 0, time_base, pts, np.ones(3, bool), np.arange(3), first + 125, FORMAT, audio, ())


@pytest.mark.parametrize(
    ("suffix", "codecs", "time_base", "expected"),
    [
        (".mp4", ["aac"], 12_800, ".mp4"),
        (".MP4", [], 12_800, ".mp4"),
        (".mov", ["pcm_s16le"], 600, ".mov"),
        (".mkv", ["vorbis", "aac"], 1000, ".mkv"),
        (".webm", ["opus"], 1000, ".webm"),
        (".webm", ["aac"], 1000, ".mkv"),
        (".ts", ["aac", "mp2"], 90_000, ".mp4"),
        (".m2ts", ["ac3"], 90_000, ".mp4"),
        (".mp4", ["pcm_s16le"], 12_800, ".mov"),
        (".mp4", ["vorbis"], 1000, ".mkv"),
        (".flv", ["aac"], 1000, ".mp4"),
        (".3gp", ["amr_nb"], 90_000, ".mov"),
        (".wmv", ["aac"], 1000, ".mkv"),
        (".mpg", ["mp2"], 1000, ".mkv"),
        (".avi", ["mp3"], 25, ".mkv"),
        (".3gp", ["aac"], 12_800, ".mp4"),
        (".3gp", ["amr_nb"], 12_800, ".mov"),
        # Matroska counts in milliseconds and could not say these times.
        (".avi", ["mp3"], 30, ".mp4"),
        (".mkv", ["aac"], 90_000, ".mp4"),
    ],
)
def test_choice(suffix: str, codecs: list[str], time_base: int, expected: str) -> None:
    codec = "vp9" if suffix == ".webm" else "h264"
    assert choose_container(_index(*codecs, time_base=Fraction(1, time_base)), suffix, codec) == expected


@pytest.mark.parametrize(
    ("codec", "suffix", "time_base", "expected"),
    [
        ("h264", ".webm", 1000, ".mkv"),
        ("av1", ".webm", 1000, ".webm"),
        ("av1", ".mov", 600, ".mp4"),
        ("vp9", ".mp4", 600, ".mp4"),
        ("ffv1", ".mp4", 1000, ".mkv"),
        ("ffv1", ".mp4", 12_800, ".mp4"),
        ("prores", ".mxf", 25, ".mov"),
        ("hevc", ".mov", 600, ".mov"),
    ],
)
def test_the_codec_decides_too(codec: str, suffix: str, time_base: int, expected: str) -> None:
    assert choose_container(_index(time_base=Fraction(1, time_base)), suffix, codec) == expected


def test_a_pixel_aspect_that_the_codec_leaves_to_the_container() -> None:
    index = _index()
    wide = replace(index, stream=replace(index.stream, sample_aspect_ratio=Fraction(4, 3)))
    assert [choose_container(wide, ".webm", codec) for codec in ("vp9", "av1")] == [".mp4", ".mp4"]
    assert choose_container(wide, ".mkv", "h264") == ".mkv"


def test_a_shift_keeps_milliseconds_whole() -> None:
    """A start that is no whole millisecond cannot go to Matroska, whose clock would round it."""
    index = replace(_index(time_base=Fraction(1, 1000), first=-3), shift_pts=3)
    assert choose_container(index, ".mkv") == ".mkv"
    index = replace(_index(time_base=Fraction(1, 90_000), first=-90_001), shift_pts=90_001)
    assert choose_container(index, ".mkv") == ".mp4"


def test_what_no_container_can_hold() -> None:
    with pytest.raises(UnsupportedFormatError, match="No output container"):
        choose_container(_index("vorbis", time_base=Fraction(1, 90_000)), ".ogg")
    with pytest.raises(UnsupportedFormatError):
        choose_container(_index("unknown"), ".mkv")
    with pytest.raises(UnsupportedFormatError, match="audio:wmav2"):
        choose_container(_index("wmav2"), ".wmv")
