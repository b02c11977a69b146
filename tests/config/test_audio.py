from __future__ import annotations

from typing import Any

import pytest

from anonflow.config import AUDIO_MODES, AudioConfig, TimeSpan
from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


def test_sound_is_copied_by_default() -> None:
    assert configuration().audio == AudioConfig() == AudioConfig("copy")


def test_spans_are_times() -> None:
    audio = configuration("audio=mute_spans", "audio.spans=[[0,1.5],[60,null]]").audio
    assert audio.mute == (TimeSpan(0.0, 1.5), TimeSpan(60.0, None))


@pytest.mark.parametrize("mode", AUDIO_MODES)
def test_every_mode_can_be_chosen(mode: str) -> None:
    assert AudioConfig(mode, semitones=3.0 if mode == "pitch" else 0.0).mode == mode


def test_no_spans_at_all_are_a_mistake() -> None:
    with pytest.raises(ConfigError, match="no spans"):
        configuration("audio=mute_spans")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"mode": "mute_spans", "spans": ((2.0, 1.0),)}, "must lie before"),
        ({"mode": "mute_spans", "spans": ((-1.0, 1.0),)}, "from_s"),
        ({"spans": ((0.0, 1.0),)}, "mutes nothing"),
        ({"mode": "drop", "spans": ((0.0, 1.0),)}, "mutes nothing"),
        ({"mode": "pitch"}, "semitones"),
        ({"mode": "pitch", "semitones": 13.0}, "semitones"),
        ({"mode": "pitch", "semitones": float("nan")}, "semitones"),
        ({"semitones": 2.0}, "changes nothing"),
        ({"mode": "loud"}, "audio.mode"),
    ],
)
def test_what_would_be_ignored_or_makes_no_sense_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        AudioConfig(**values)
