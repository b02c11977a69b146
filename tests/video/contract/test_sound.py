from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from anonflow.types import Verdict
from anonflow.video.contract.sound import compare_dropped
from tests import carrying
from tests.carrying import checks, clip_with_sound, rewrite, sounding
from tests.differences import broken
from tests.media import Clip


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (Clip(), {"audio packets", "audio timing"}),
        (Clip(audio=("aac", "aac")), {"audio packets", "audio timing"}),
        # AC-3 and AAC have other delays.
        (Clip(audio=("ac3",)), {"audio packets", "audio timing"}),
        (Clip(audio=("aac",), audio_duration_s=Fraction(1, 2)), {"audio packets"}),
        (Clip(audio=("aac",), audio_start_s=Fraction(1, 100)), {"audio timing"}),
    ],
)
def test_packets_and_their_start(tmp_path: Path, wrong: Clip, expected: set[str]) -> None:
    assert broken(tmp_path, wrong) == expected


NOISE = np.random.default_rng(5).uniform(-0.5, 0.5, (1, 96_000))
MUTE = sounding("mute_spans", mute=[(0.5, 1.0)])


def test_muted_sound_is_changed_by_policy(tmp_path: Path) -> None:
    source = clip_with_sound(tmp_path / "source.mp4", "aac", NOISE)
    found = checks(source, rewrite(source, tmp_path, MUTE), MUTE)
    assert found["audio streams"].detail == "encoded again: 1 streams (mute_spans)"
    assert found["audio streams"].verdict is found["muted spans"].verdict is Verdict.CHANGED_BY_POLICY
    assert found["audio timing"].verdict is Verdict.EQUAL


def test_a_span_in_which_something_is_heard_is_broken(tmp_path: Path) -> None:
    source = clip_with_sound(tmp_path / "source.mp4", "aac", NOISE)
    output = rewrite(source, tmp_path, MUTE)
    for wider in ([(0.5, 1.2)], [(0.3, 0.4)], [(0.5, None)]):
        names = carrying.broken(source, output, sounding("mute_spans", mute=wider))
        assert [name.partition(":")[0] for name in names] == ["muted spans"]


@pytest.mark.parametrize(
    ("codec", "rate_hz", "samples", "wrong"),
    [
        ("ac3", 48_000, NOISE * 0, "audio streams"),
        ("aac", 44_100, NOISE[:, :88_200] * 0, "audio streams"),
        ("aac", 48_000, np.zeros((2, 96_000)), "audio streams"),
        ("aac", 48_000, NOISE[:, :90_000] * 0, "audio timing"),
    ],
)
def test_another_codec_rate_layout_or_length_is_broken(
    tmp_path: Path, codec: str, rate_hz: int, samples: np.ndarray, wrong: str
) -> None:
    source = clip_with_sound(tmp_path / "source.mp4", "aac", NOISE)
    output = clip_with_sound(tmp_path / "out.mp4", codec, samples, rate_hz)
    assert [text.partition(":")[0] for text in carrying.broken(source, output, MUTE)] == [wrong]


def test_a_stream_less_is_broken(tmp_path: Path) -> None:
    source = clip_with_sound(tmp_path / "source.mp4", "aac", NOISE)
    output = rewrite(source, tmp_path, sounding("drop"))
    assert [text.partition(":")[0] for text in carrying.broken(source, output, MUTE)] == ["audio streams"]


def test_voices_that_are_as_they_were_are_broken(tmp_path: Path) -> None:
    source = clip_with_sound(tmp_path / "source.mp4", "aac", NOISE)
    pitch = sounding("pitch", semitones=4)
    copied = carrying.broken(source, rewrite(source, tmp_path, sounding("copy")), pitch)
    assert [text.partition(":")[0] for text in copied] == ["voices"]
    assert checks(source, rewrite(source, tmp_path, pitch), pitch)["voices"].detail == "+4 semitones"
    silent = clip_with_sound(tmp_path / "silent.mp4", "aac", NOISE * 0)
    assert carrying.broken(silent, rewrite(silent, tmp_path, pitch), pitch) == []


def test_dropped_sound() -> None:
    assert compare_dropped(2, 0).verdict is Verdict.CHANGED_BY_POLICY
    assert compare_dropped(0, 0).verdict is Verdict.EQUAL
    assert compare_dropped(2, 1).verdict is Verdict.BROKEN
