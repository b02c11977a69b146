from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from anonflow.video.audio import digest_audio
from anonflow.video.probe import probe
from tests.media import Clip, make_clip

ClipPath = Callable[[str], Path]


def _remux(source: Path, target: Path) -> Path:
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        streams = {s.index: out.add_stream_from_template(s, opaque=True) for s in container.streams}
        for packet in container.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return target


def test_a_copy_has_the_same_content(clip: ClipPath, tmp_path: Path) -> None:
    source, copy = clip("opengop.ts"), _remux(clip("opengop.ts"), tmp_path / "copy.mp4")
    (before,), (after,) = digest_audio(source, probe(source)), digest_audio(copy, probe(copy))
    assert before.content == after.content and before.n_packets > 40
    assert before.was_framed and not after.was_framed


def test_other_sound_has_other_content(tmp_path: Path) -> None:
    paths = [
        make_clip(tmp_path / "long.mp4", Clip(audio=("aac",))),
        make_clip(tmp_path / "short.mp4", Clip(audio=("aac",), audio_duration_s=Fraction(9, 10))),
        make_clip(tmp_path / "two.mp4", Clip(audio=("aac", "aac"))),
    ]
    long, short, two = (digest_audio(path, probe(path)) for path in paths)
    assert long[0].content != short[0].content
    assert two[0].content == long[0].content != two[1].content


def test_start_is_measured(clip: ClipPath) -> None:
    first, second = digest_audio(clip("two.mkv"), probe(clip("two.mkv")))
    assert abs(first.start_s) < Fraction(1, 10) and abs(second.start_s) < Fraction(1, 10)
    (late,) = digest_audio(clip("late.mp4"), probe(clip("late.mp4")))
    assert abs(late.start_s - Fraction(1, 3)) < Fraction(1, 40)


def test_no_sound(clip: ClipPath) -> None:
    assert digest_audio(clip("plain.mp4"), probe(clip("plain.mp4"))) == ()
