"""What a tracker is made of: limits in seconds, and which rounds of association it plays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AppearanceParams:
    """The appearance round of DeepSORT (Wojke et al., ICIP 2017)."""

    max_cosine_distance: float
    gallery: int
    """Detections of a track, the newest ones, whose appearance it is compared with."""


@dataclass(frozen=True)
class TrackerParams:
    """How detections become tracks. A round whose value is None (`max_speed_sides_per_s` 0) is not played."""

    buffer_s: float
    """A confirmed track ends when it went without a detection for longer than this."""
    min_hits: int
    """Associations after which a track is confirmed and survives a miss."""
    high_match_iou: float
    """Least overlap with the predicted box for detections that could start a track."""
    low_match_iou: float | None
    """The same for weaker detections (ByteTrack's second association)."""
    max_speed_sides_per_s: float
    """How far from its predicted place an object may be looked for in the last round, in box sides a second."""
    appearance: AppearanceParams | None

    @property
    def gallery(self) -> int:
        """Detections of a track that its state refers to."""
        return self.appearance.gallery if self.appearance else 0
