from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.types import Verdict
from anonflow.video.audio import digest_audio
from anonflow.video.probe import probe
from anonflow.video.shift import applied_shift, shift_to_zero
from tests.rare import write_clip
from tests.video.rewrite import FFV1, LOSSLESS, rewrite


@given(
    first=st.integers(-200_000, 200_000),
    rate=st.sampled_from([25, 1000, 12_800, 30_000, 90_000]),
    sound=st.lists(st.tuples(st.integers(-200_000, 200_000), st.sampled_from([8000, 44_100, 48_000])), max_size=3),
)
def test_all_streams_start_at_zero_or_later_and_whole(first: int, rate: int, sound: list[tuple[int, int]]) -> None:
    base = Fraction(1, rate)
    shift_s = shift_to_zero(first, base, [(start, Fraction(1, per)) for start, per in sound]) * base
    starts_s = [first * base, *(Fraction(start, per) for start, per in sound)]
    assert min(starts_s) + shift_s >= 0
    assert (shift_s == 0) == (min(starts_s) >= 0)
    assert shift_s < max(0, -min(starts_s)) + 1, "not the smallest"
    assert all((shift_s * per).denominator == 1 for _, per in sound)


def test_mp4_says_itself_that_sound_begins_before_the_picture(tmp_path: Path) -> None:
    index = probe(write_clip(tmp_path / "a.ts", "libx264", n_frames=3))
    for container in (".mp4", ".mov", ".mkv", ".webm"):
        assert applied_shift(index, container) == 0


def test_a_start_before_zero_moves_all_streams_together(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.ts", "mpeg2video", start=-7, sound="mp2")
    before = probe(source)
    assert before.pts[0] < 0
    made = rewrite(source, tmp_path)
    after = probe(made.output)
    assert made.broken == [] and f"all {before.shift_pts} ticks" in made.changed["timestamps"]
    assert after.pts[0] >= 0
    first, second = (np.diff(index.pts) * index.time_base for index in (before, after))
    assert first.tolist() == second.tolist()
    gaps = [
        digest_audio(p, i)[0].start_s - int(i.pts[0]) * i.time_base
        for p, i in ((source, before), (made.output, after))
    ]
    assert abs(gaps[0] - gaps[1]) < Fraction(1, 48_000), "sound is in ticks of a sample"


def test_a_second_decoder_sees_the_same_shift(tmp_path: Path) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    made = rewrite(write_clip(tmp_path / "a.ts", "mpeg2video", start=-7, sound="mp2"), tmp_path)
    command = [ffmpeg, "-v", "warning", "-copyts", "-i", str(made.output), "-map", "0:v"]
    command += ["-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "framehash", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = [line.split(",") for line in done.stdout.splitlines() if not line.startswith("#")]
    (base,) = (line for line in done.stdout.splitlines() if line.startswith("#tb"))
    second_s = [int(line[2]) * Fraction(base.split(":")[1].strip()) for line in lines]
    index = probe(made.output)
    assert second_s == [pts * index.time_base for pts in index.pts.tolist()] and done.stderr == ""


def test_sound_that_begins_before_the_picture_in_matroska(tmp_path: Path) -> None:
    """AAC's first packet is priming, before zero; MP4 keeps it by an edit list, Matroska by shifting everything."""
    source = write_clip(tmp_path / "a.mp4", "libx264", sound="aac", time_base=Fraction(1, 1000), n_frames=10)
    made = rewrite(source, tmp_path, LOSSLESS)
    assert made.broken == [] and made.output.suffix == ".mp4" and "timestamps" not in made.changed
    ffv1 = rewrite(source, tmp_path, FFV1)
    assert ffv1.output.suffix == ".mkv" and ffv1.broken == []
    assert "timestamps" in ffv1.changed
    assert {c.verdict for c in ffv1.checks if c.name == "audio timing"} == {Verdict.EQUAL}
