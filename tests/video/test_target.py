from __future__ import annotations

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
        (".webm", ["opus"], 1000, ".mkv"),
        (".ts", ["aac", "mp2"], 90_000, ".mp4"),
        (".m2ts", ["ac3"], 90_000, ".mp4"),
        (".mp4", ["pcm_s16le"], 12_800, ".mov"),
        (".mp4", ["vorbis"], 1000, ".mkv"),
        (".flv", ["aac"], 1000, ".mkv"),
        (".avi", ["mp3"], 25, ".mkv"),
        (".3gp", ["aac"], 12_800, ".mp4"),
        (".3gp", ["amr_nb"], 12_800, ".mov"),
        # Matroska counts in milliseconds and could not say these times.
        (".avi", ["mp3"], 30, ".mp4"),
        (".mkv", ["aac"], 90_000, ".mp4"),
    ],
)
def test_choice(suffix: str, codecs: list[str], time_base: int, expected: str) -> None:
    assert choose_container(_index(*codecs, time_base=Fraction(1, time_base)), suffix) == expected


def test_what_no_container_can_hold() -> None:
    with pytest.raises(UnsupportedFormatError, match="No output container"):
        choose_container(_index("vorbis", time_base=Fraction(1, 90_000)), ".ogg")
    with pytest.raises(UnsupportedFormatError, match="negative"):
        choose_container(_index(first=-3), ".mp4")
    with pytest.raises(UnsupportedFormatError):
        choose_container(_index("unknown"), ".mkv")
    with pytest.raises(UnsupportedFormatError, match="audio:wmav2"):
        choose_container(_index("wmav2"), ".wmv")
