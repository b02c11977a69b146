from __future__ import annotations

import pytest

from anonflow.config import AUDIO_MODES, AudioConfig, TimeSpan
from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


def test_sound_is_copied_by_default() -> None:
    assert configuration().audio == AudioConfig("copy")


@pytest.mark.parametrize("mode", AUDIO_MODES)
def test_every_mode_is_a_group(mode: str) -> None:
    needed = ["audio.spans=[[1,2]]"] if mode == "mute_spans" else []
    assert configuration(f"audio={mode}", *needed).audio.mode == mode


def test_spans_are_times() -> None:
    audio = configuration("audio=mute_spans", "audio.spans=[[0,1.5],[60,null]]").audio
    assert audio.mute == (TimeSpan(0.0, 1.5), TimeSpan(60.0, None))


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["audio=mute_spans"], "no spans"),
        (["audio=mute_spans", "audio.spans=[[2,1]]"], "must lie before"),
        (["audio=mute_spans", "audio.spans=[[-1,1]]"], "from_s"),
        (["audio.spans=[[0,1]]"], "mutes nothing"),
        (["audio=drop", "audio.spans=[[0,1]]"], "mutes nothing"),
        (["audio=pitch", "audio.semitones=0"], "semitones"),
        (["audio=pitch", "audio.semitones=13"], "semitones"),
        (["audio.semitones=2"], "changes nothing"),
        (["audio.mode=loud"], "audio.mode"),
    ],
)
def test_what_would_be_ignored_or_makes_no_sense_is_refused(overrides: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        configuration(*overrides)
