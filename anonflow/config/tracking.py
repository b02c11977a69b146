"""How detections become tracks, and what of their surroundings in time is hidden with them."""

from __future__ import annotations

from dataclasses import dataclass

from anonflow.config.base import Section, not_negative, require, share


@dataclass(frozen=True)
class AppearanceConfig(Section):
    """DeepSORT's association by looks (Wojke et al., ICIP 2017)."""

    max_cosine_distance: float
    gallery: int
    """The newest detections of a track that it is compared with."""

    def __post_init__(self) -> None:
        """Check the values."""
        require(0 < self.max_cosine_distance <= 2, "tracker.appearance.max_cosine_distance must lie in (0, 2]")
        require(1 <= self.gallery <= 1000, "tracker.appearance.gallery must lie between 1 and 1000")


@dataclass(frozen=True)
class TrackerConfig(Section):
    """How detections become tracks; score thresholds are those of the detectors."""

    buffer_s: float
    """How long a track lives on without a detection."""
    min_hits: int
    """Associations after which a track counts as confirmed."""
    high_match_iou: float
    low_match_iou: float | None
    """None: weak detections carry no track on."""
    max_speed_sides_per_s: float
    """Box sides a second at which an object is looked for when its boxes do not overlap; 0: it is not."""
    appearance: AppearanceConfig | None

    def __post_init__(self) -> None:
        """Check the values."""
        not_negative("tracker.buffer_s", self.buffer_s)
        not_negative("tracker.max_speed_sides_per_s", self.max_speed_sides_per_s)
        require(self.min_hits >= 1, f"tracker.min_hits={self.min_hits} must be at least 1")
        share("tracker.high_match_iou", self.high_match_iou)
        if self.low_match_iou is not None:
            share("tracker.low_match_iou", self.low_match_iou)


@dataclass(frozen=True)
class ReverseConfig(Section):
    """Tracking backwards from every birth over weak detections."""

    enabled: bool
    buffer_s: float
    match_iou: float

    def __post_init__(self) -> None:
        """Check the values."""
        not_negative("stabilise.reverse.buffer_s", self.buffer_s)
        share("stabilise.reverse.match_iou", self.match_iou)


@dataclass(frozen=True)
class DropConfig(Section):
    """Tracks both shorter and weaker than this are not hidden; zeros keep all."""

    min_duration_s: float
    min_score: float

    def __post_init__(self) -> None:
        """Check the values."""
        not_negative("stabilise.drop.min_duration_s", self.min_duration_s)
        share("stabilise.drop.min_score", self.min_score)


@dataclass(frozen=True)
class StabiliseConfig(Section):
    """What is masked beyond the detections of a track, because the batch knows its future."""

    reverse: ReverseConfig
    drop: DropConfig
    max_gap_s: float
    extend_before_s: float
    extend_after_s: float
    extend_motion_s: float
    smooth_sigma_s: float

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("max_gap_s", "extend_before_s", "extend_after_s", "extend_motion_s", "smooth_sigma_s"):
            not_negative(f"stabilise.{name}", getattr(self, name))


@dataclass(frozen=True)
class BridgeConfig(Section):
    """Rule: what is in both neighbours of a frame is put into the middle."""

    enabled: bool
    min_iou: float

    def __post_init__(self) -> None:
        """Check the values."""
        share("rules.bridge_neighbours.min_iou", self.min_iou)


@dataclass(frozen=True)
class EdgeConfig(Section):
    """Rule: a box close to the picture's edge reaches it."""

    enabled: bool
    labels: list[str]
    within: float

    def __post_init__(self) -> None:
        """Check the values."""
        not_negative("rules.extend_at_edge.within", self.within)


@dataclass(frozen=True)
class PlateContextConfig(Section):
    """Rule: a plate must leave room for a vehicle around it, unless it stays."""

    enabled: bool
    label: str
    vehicle_widths: float
    min_visible: float
    keep_duration_s: float

    def __post_init__(self) -> None:
        """Check the values."""
        require(1 <= self.vehicle_widths <= 100, "rules.plate_context.vehicle_widths must lie between 1 and 100")
        share("rules.plate_context.min_visible", self.min_visible)
        not_negative("rules.plate_context.keep_duration_s", self.keep_duration_s)


@dataclass(frozen=True)
class RulesConfig(Section):
    """Rules after detection."""

    bridge_neighbours: BridgeConfig
    extend_at_edge: EdgeConfig
    plate_context: PlateContextConfig
