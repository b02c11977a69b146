"""What an input may cost before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

from anonflow.config.base import Section, positive, require


@dataclass(frozen=True)
class LimitsConfig(Section):
    """Bounds on what an untrusted file may make the reader do; no honest archive should meet them."""

    max_pixels: int
    max_streams: int
    max_duration_s: float
    max_frames: int
    max_decode_s_per_frame: float

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("max_pixels", "max_streams", "max_frames"):
            value = getattr(self, name)
            require(1 <= value < 2**31, f"limits.{name}={value} must lie between 1 and 2147483647")
        positive("limits.max_duration_s", self.max_duration_s)
        positive("limits.max_decode_s_per_frame", self.max_decode_s_per_frame)
