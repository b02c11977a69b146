"""What becomes of the sound."""

from __future__ import annotations

from dataclasses import dataclass

from anonflow.config.base import Section, choice, require
from anonflow.config.masking import TimeSpan

AUDIO_MODES = ("copy", "drop", "mute_spans", "pitch")
MAX_SEMITONES = 12


@dataclass(frozen=True)
class AudioConfig(Section):
    """How sound is published: as it is, not at all, with silent spans, or with another pitch."""

    mode: str = "copy"
    spans: tuple[tuple[float, float | None], ...] = ()
    """Silent, in seconds since the video's first frame: `from, to`, and `null` for the end."""
    semitones: float = 0.0
    """`pitch`: how far voices are moved, up or (negative) down."""

    def __post_init__(self) -> None:
        """Check the values."""
        choice("audio.mode", self.mode, AUDIO_MODES)
        assert all(TimeSpan(start_s, stop_s) for start_s, stop_s in self.spans), "TimeSpan checks itself"
        heard = self.mode in ("mute_spans", "pitch")
        require(heard or not self.spans, f"audio.spans mutes nothing with audio={self.mode}; use audio=mute_spans")
        is_shifted = 0 < abs(self.semitones) <= MAX_SEMITONES
        require(
            is_shifted or self.mode != "pitch",
            f"audio.semitones={self.semitones} must lie between -{MAX_SEMITONES} and {MAX_SEMITONES}, and not be 0",
        )
        needless = self.semitones and self.mode != "pitch"
        require(not needless, f"audio.semitones changes nothing with audio={self.mode}; use audio=pitch")

    @property
    def mute(self) -> tuple[TimeSpan, ...]:
        """The spans in types."""
        return tuple(TimeSpan(start_s, stop_s) for start_s, stop_s in self.spans)
