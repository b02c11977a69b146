"""What is looked for, and which scores and sizes count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from anonflow.config.base import Section, not_negative, positive, require, share


@dataclass(frozen=True)
class ModelConfig(Section):
    """A detector's weights: where they come from, what they are, how they are to be read."""

    id: str
    uri: str
    sha256: str
    licence: str
    origin: str
    family: str
    classes: dict[int, str]
    """Label of each class that is of interest; the model's other classes are ignored."""
    decoder: dict[str, Any]
    """Arguments of the decoder family (input layout, normalisation, priors)."""


@dataclass(frozen=True)
class DetectorConfig(Section):
    """One model at work: the size of its input and the scores that count."""

    model: ModelConfig
    long_side_px: int
    max_upscale: float
    threshold: float
    """A detection at or above it is masked and starts a track."""
    keep_threshold: float
    """A detection at or above it carries a track on."""
    floor: float
    """Detections below it are forgotten at once; no adaption lowers a threshold below it."""
    nms_iou: float
    batch_size: int

    def __post_init__(self) -> None:
        """Check the values."""
        require(self.long_side_px >= 32, f"long_side_px={self.long_side_px} must be at least 32")
        positive("max_upscale", self.max_upscale)
        for name in ("threshold", "keep_threshold", "floor", "nms_iou"):
            share(name, getattr(self, name))
        require(
            self.floor <= self.keep_threshold <= self.threshold,
            f"floor={self.floor}, keep_threshold={self.keep_threshold}, threshold={self.threshold} must not fall",
        )
        require(self.batch_size >= 1, f"batch_size={self.batch_size} must be at least 1")


@dataclass(frozen=True)
class LabelConfig(Section):
    """Whether a kind of object is hidden, and which sizes are none."""

    hide: bool
    min_side_px: float
    """Boxes whose shorter side is less are dropped."""
    max_side_share: float
    """Boxes wider or higher than this share of the picture are dropped."""

    def __post_init__(self) -> None:
        """Check the values."""
        not_negative("min_side_px", self.min_side_px)
        share("max_side_share", self.max_side_share)


@dataclass(frozen=True)
class AdaptiveConfig(Section):
    """How a dark or crowded frame lowers its thresholds, by two straight lines between their ends."""

    enabled: bool
    dark_luma: float
    bright_luma: float
    """Mean brightness of the frame, 0 to 1: `dark_factor` up to `dark_luma`, 1 from `bright_luma` on."""
    dark_factor: float
    sparse_objects: int
    crowded_objects: int
    """Detections in the frame: 1 up to `sparse_objects`, `crowd_factor` from `crowded_objects` on."""
    crowd_factor: float

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("dark_luma", "bright_luma", "dark_factor", "crowd_factor"):
            share(f"adaptive.{name}", getattr(self, name))
        require(self.dark_luma < self.bright_luma, "adaptive.dark_luma must be below adaptive.bright_luma")
        require(
            0 <= self.sparse_objects < self.crowded_objects,
            "adaptive.sparse_objects must be below adaptive.crowded_objects",
        )
