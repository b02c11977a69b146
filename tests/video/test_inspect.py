from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from anonflow.types import Verdict
from anonflow.video.inspect import inspect
from anonflow.video.probe import probe
from tests.media import Clip, make_clip

ClipPath = Callable[[str], Path]
SOURCE = Clip(audio=("aac",))
_EXACT = {"movie_timescale": "12800"}


def _broken(folder: Path, wrong: Clip, source: Clip = SOURCE, suffix: str = ".mp4") -> set[str]:
    first = make_clip(folder / "source.mp4", source)
    second = make_clip(folder / f"wrong{suffix}", wrong)
    return {c.name for c in inspect(first, probe(first), second) if c.verdict is Verdict.BROKEN}


def test_an_equal_file_passes(tmp_path: Path) -> None:
    assert _broken(tmp_path, SOURCE) == set()


def _pts(change: Callable[[int], int]) -> list[int]:
    return [change(n) for n in range(40)]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (Clip(audio=("aac",), n_frames=37), {"frames", "timestamps", "duration"}),
        (Clip(audio=("aac",), pts=_pts(lambda n: n * 512 + (n == 20))), {"timestamps"}),
        (Clip(audio=("aac",), pts=_pts(lambda n: n * 512 + 64), mux_options=_EXACT), {"timestamps"}),
        (Clip(audio=("aac",), width=98), {"size"}),
        (Clip(audio=("aac",), rotation_deg=90), {"rotation"}),
        (Clip(audio=("aac",), sample_aspect_ratio=Fraction(4, 3)), {"pixel aspect"}),
        (Clip(audio=("aac",), pixel_format="yuv420p10le"), {"pixel format"}),
        (Clip(audio=("aac",), colour=(1, 9, 16, 9)), {"colour tags"}),
        (Clip(), {"audio packets", "audio timing"}),
        (Clip(audio=("aac", "aac")), {"audio packets", "audio timing"}),
        (Clip(audio=("ac3",)), {"audio packets"}),
        (Clip(audio=("aac",), audio_duration_s=Fraction(1, 2)), {"audio packets"}),
        (Clip(audio=("aac",), audio_start_s=Fraction(1, 100)), {"audio timing"}),
    ],
)
def test_each_change_breaks_its_check(tmp_path: Path, wrong: Clip, expected: set[str]) -> None:
    broken = _broken(tmp_path, wrong)
    assert expected <= broken
    # AC-3 and AAC have other delays; all other changes are seen by their own checks and by no other.
    assert broken <= expected | ({"audio timing"} if wrong.audio == ("ac3",) else set())


def test_a_truncated_output(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "source.mp4", SOURCE)
    (tmp_path / "cut.mp4").write_bytes(source.read_bytes()[:-3000])
    checks = inspect(source, probe(source), tmp_path / "cut.mp4")
    assert [(c.name, c.verdict) for c in checks] == [("readable", Verdict.BROKEN)]


def test_an_output_that_does_not_decode(tmp_path: Path) -> None:
    clip = Clip(width=320, height=240, options={"preset": "veryfast", "crf": "5"})
    source = make_clip(tmp_path / "source.mp4", clip)
    content = bytearray(source.read_bytes())
    start = content.find(b"mdat") + len(content) // 3
    for position in range(start, start + 4000, 97):
        content[position] ^= 0x55
    (tmp_path / "bad.mp4").write_bytes(content)
    checks = inspect(source, probe(source), tmp_path / "bad.mp4")
    assert [c.name for c in checks if c.verdict is Verdict.BROKEN] == ["decodes"]


def test_streams_that_policy_removes_are_reported_and_extra_ones_break(clip: ClipPath, tmp_path: Path) -> None:
    plain, more = clip("refresh.mkv"), tmp_path / "subtitles.mkv"
    with av.open(str(plain)) as source, av.open(str(more), "w") as out:
        video = out.add_stream_from_template(source.streams.video[0], opaque=True)
        subtitles = out.add_mux_stream("subrip", time_base=Fraction(1, 1000))
        words = av.Packet(b"words")
        words.pts, words.dts, words.duration, words.time_base = 0, 0, 1000, Fraction(1, 1000)
        words.stream = subtitles
        packets = [p for p in source.demux(source.streams.video[0]) if p.size]
        for packet in packets:
            packet.stream = video
        out.mux([packets[0], words, *packets[1:]])
    by_name = {c.name: c for c in inspect(more, probe(more), plain)}
    assert by_name["other streams"].verdict is Verdict.CHANGED_BY_POLICY
    assert by_name["other streams"].detail == "removed: subtitle:subrip"
    by_name = {c.name: c for c in inspect(plain, probe(plain), more)}
    assert by_name["other streams"].verdict is Verdict.BROKEN
