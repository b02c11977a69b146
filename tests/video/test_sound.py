from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from anonflow.config import TimeSpan
from anonflow.video.audio import digest_audio
from anonflow.video.carry import Sound
from anonflow.video.probe import probe
from anonflow.video.sound import widened_spans
from tests.carrying import broken, clip_with_sound, heard, rewrite, sounding
from tests.media import Clip, make_clip
from tests.video.conftest import CLIPS

RATE = 48_000
CASES = [
    ("aac", ".ts", 48_000),
    ("libmp3lame", ".mp4", 44_100),
    ("libopus", ".mkv", 48_000),
    ("ac3", ".ts", 48_000),
    ("mp2", ".ts", 48_000),
    ("pcm_u8", ".mkv", 8_000),
    ("wmav2", ".asf", 44_100),
]
MORE_CASES = [
    ("aac", ".mp4", 48_000),
    ("aac", ".mkv", 44_100),
    ("libmp3lame", ".mkv", 48_000),
    ("libopus", ".mp4", 48_000),
    ("flac", ".mkv", 44_100),
    ("eac3", ".mp4", 48_000),
    ("alac", ".mov", 48_000),
    ("pcm_s24be", ".mov", 48_000),
    ("pcm_alaw", ".mov", 8_000),
]
SLOW = pytest.mark.slow
CLIPS_WITH_SOUND = [name for name, clip in sorted(CLIPS.items()) if clip.audio]


@pytest.mark.parametrize(
    ("codec", "extension", "rate_hz"), [*CASES, *(pytest.param(*case, marks=SLOW) for case in MORE_CASES)]
)
def test_muted_spans_are_silent_and_the_rest_is_in_step(
    tmp_path: Path, codec: str, extension: str, rate_hz: int
) -> None:
    noise = np.random.default_rng(3).uniform(-0.3, 0.3, (1, 2 * rate_hz))
    clicks = [int(0.3 * rate_hz), int(1.35 * rate_hz)]
    noise[:, clicks] = 0.95
    source = clip_with_sound(tmp_path / f"source{extension}", codec, noise, rate_hz)
    policy = sounding("mute_spans", mute=[(0.7, 0.9), (1.7, None)])
    output = rewrite(source, tmp_path, policy)
    assert broken(source, output, policy) == []
    before, after = heard(source, 2 * rate_hz), heard(output, 2 * rate_hz)
    tick = rate_hz // 500  # of Matroska, there and back
    silent = slice(int(0.7 * rate_hz) + tick, int(0.9 * rate_hz) - tick)
    assert np.abs(before[silent]).max() > 0.1 > 2.0**-12 >= np.abs(after[silent]).max()
    assert np.abs(after[int(1.7 * rate_hz) + tick :]).max() <= 2.0**-12
    around = slice(int(0.1 * rate_hz), int(0.35 * rate_hz))
    assert abs(_lag(before[around], after[around])) <= tick


def _lag(first: np.ndarray, second: np.ndarray) -> int:
    """By how many samples the second sound is late."""
    n = 2 * len(first)
    product = np.fft.irfft(np.fft.rfft(second, n) * np.conj(np.fft.rfft(first, n)), n)
    best = int(np.argmax(product))
    return best - n if best > n // 2 else best


def test_clicks_are_at_the_same_sample_in_mp4(tmp_path: Path) -> None:
    clicks = np.zeros((1, 2 * RATE))
    places = [RATE // 4, RATE, 5 * RATE // 4]
    clicks[:, places] = 0.9
    source = clip_with_sound(tmp_path / "source.mp4", "aac", clicks)
    found = heard(rewrite(source, tmp_path, sounding("mute_spans", mute=[(1.9, 1.95)])), 2 * RATE)
    for place in places:
        assert np.argmax(np.abs(found[place - 500 : place + 500])) == 500


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le", "flac"])
def test_lossless_sound_is_the_same_to_the_bit_outside_of_the_spans(tmp_path: Path, codec: str) -> None:
    noise = np.random.default_rng(4).uniform(-0.5, 0.5, (2, 2 * RATE))
    source = clip_with_sound(tmp_path / "source.mkv", codec, noise)
    output = rewrite(source, tmp_path, sounding("mute_spans", mute=[(0.5, 1.0)]))
    before, after = heard(source, 2 * RATE), heard(output, 2 * RATE)
    margin = RATE // 90
    assert np.array_equal(before[: RATE // 2 - margin], after[: RATE // 2 - margin])
    assert np.array_equal(before[RATE + margin :], after[RATE + margin :])
    assert not after[RATE // 2 : RATE].any() and before[RATE // 2 : RATE].any()


def test_spans_count_from_the_first_frame_of_the_picture(tmp_path: Path) -> None:
    late = Clip(pts=[n * 512 + 12_800 for n in range(40)], audio=("aac",), audio_duration_s=Fraction(2))
    source = make_clip(tmp_path / "source.mp4", late)
    policy = sounding("mute_spans", mute=[(0.2, 0.5)])
    output = rewrite(source, tmp_path, policy)
    assert broken(source, output, policy) == []
    found = heard(output, 2 * RATE)
    assert not found[int(1.2 * RATE) : int(1.5 * RATE)].any() and found[int(0.2 * RATE) : int(0.5 * RATE)].any()


def test_every_sound_track_is_muted(tmp_path: Path) -> None:
    two = Clip(audio=("aac", "libopus"), audio_languages=("deu", "eng"), time_base=Fraction(1, 1000))
    source = make_clip(tmp_path / "source.mkv", two)
    policy = sounding("mute_spans", mute=[(0.0, None)])
    output = rewrite(source, tmp_path, policy)
    assert broken(source, output, policy) == []
    with av.open(str(output)) as result:
        assert [(s.codec_context.codec.canonical_name, s.language) for s in result.streams.audio] == [
            ("aac", "deu"),
            ("opus", "eng"),
        ]
        assert all(not frame.to_ndarray().any() for frame in result.decode(audio=0))


def test_a_shifted_voice_is_as_long_and_in_the_same_codec(tmp_path: Path) -> None:
    seconds = np.arange(2 * RATE) / RATE
    source = clip_with_sound(tmp_path / "source.mp4", "aac", 0.5 * np.sin(2 * np.pi * 300 * seconds)[None])
    policy = sounding("pitch", semitones=5, mute=[(0.5, 0.7)])
    output = rewrite(source, tmp_path, policy)
    assert broken(source, output, policy) == []
    found = heard(output, 2 * RATE)
    assert not found[RATE // 2 : int(0.7 * RATE)].any()
    frequency = np.argmax(np.abs(np.fft.rfft(found[RATE : 3 * RATE // 2] * np.hanning(RATE // 2)))) * 2
    assert abs(frequency - 300 * 2 ** (5 / 12)) <= 3


def test_no_sound_at_all_on_demand(tmp_path: Path) -> None:
    source = clip_with_sound(tmp_path / "source.mp4", "aac", np.ones((1, RATE)) * 0.1)
    output = rewrite(source, tmp_path, sounding("drop"))
    assert broken(source, output, sounding("drop")) == [] and digest_audio(output, probe(output)) == ()


def test_spans_grow_outward_by_what_the_codec_needs() -> None:
    sound = Sound("mute_spans", (TimeSpan(1.0, 2.0),))
    for codec in ("pcm_s16le", "aac", "opus"):
        ((start, stop),) = widened_spans(sound, codec, Fraction(0), RATE)
        assert start < RATE and stop > 2 * RATE
    exact = widened_spans(sound, "flac", Fraction(0), RATE)[0]
    assert RATE - exact[0] == exact[1] - 2 * RATE == RATE // 100


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("late.mp4", "mute_spans"),
        ("opengop.ts", "pitch"),
        ("two.mkv", "mute_spans"),
        *(pytest.param(name, mode, marks=SLOW) for name in CLIPS_WITH_SOUND for mode in ("mute_spans", "pitch")),
    ],
)
def test_every_clip_with_sound(clip: Callable[[str], Path], tmp_path: Path, name: str, mode: str) -> None:
    """Late, fragmented, of several streams, in MPEG-TS: the contract holds."""
    policy = sounding(mode, mute=[(0.2, 0.4)], semitones=3 if mode == "pitch" else 0)
    assert broken(clip(name), rewrite(clip(name), tmp_path, policy), policy) == []
