from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from anonflow.types import Verdict
from anonflow.video.contract import inspect
from anonflow.video.probe import probe

ClipPath = Callable[[str], Path]


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
