"""What is looked for, and which scores and sizes count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from anonflow.config.base import Section, choice, not_negative, positive, require, share

MERGES = ("union", "vote", "wbf")


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
class MergeConfig(Section):
    """How boxes that several opinions (models, views) give of one picture become one set; see `detect.merge`."""

    method: str = "union"
    """`union` (all of them, without doubles), `vote` (what enough agree on), `wbf` (weighted box fusion)."""
    min_iou: float = 0.5
    """Boxes of one label that overlap by more show the same object."""
    min_votes: int = 1
    """`vote`: opinions that must have an object."""

    def __post_init__(self) -> None:
        """Check the values."""
        choice("merge.method", self.method, MERGES)
        share("merge.min_iou", self.min_iou)
        require(self.min_votes >= 1, f"merge.min_votes={self.min_votes} must be at least 1")
        unused = self.min_votes > 1 and self.method != "vote"
        require(not unused, f"merge.min_votes={self.min_votes} counts with merge.method=vote only")


@dataclass(frozen=True)
class TilesConfig(Section):
    """Looking at a picture in overlapping tiles: finds small objects, costs a run of the network per tile."""

    enabled: bool = False
    size_px: int = 640
    """Side of a tile, in px of the picture as the detector gets it (`long_side_px`)."""
    overlap_share: float = 0.25
    """Of a tile's side; objects up to that size are whole in one tile at least."""
    whole: bool = True
    """The whole picture is looked at, too, shrunk to `size_px`: for objects larger than the overlap."""

    def __post_init__(self) -> None:
        """Check the values."""
        require(self.size_px >= 32, f"tiles.size_px={self.size_px} must be at least 32")
        sound = 0 <= self.overlap_share <= 0.5
        require(sound, f"tiles.overlap_share={self.overlap_share} must lie between 0 and 0.5")


@dataclass(frozen=True)
class AugmentConfig(Section):
    """Looking at a picture several times, changed (test-time augmentation); costs a run of the network per view."""

    flip: bool = False
    """Mirrored, too."""
    scales: tuple[float, ...] = ()
    """At these sizes, too, as a share of the size as it is."""
    merge: MergeConfig = field(default_factory=MergeConfig)

    def __post_init__(self) -> None:
        """Check the values."""
        for scale in self.scales:
            sound = 0.1 <= scale <= 4 and scale != 1
            require(sound, f"augment.scales has {scale}; each must lie between 0.1 and 4, and not be 1")
        require(len(set(self.scales)) == len(self.scales), "augment.scales names a size twice")


@dataclass(frozen=True)
class MemberConfig(Section):
    """A further model that looks for the same objects."""

    model: ModelConfig
    long_side_px: int
    """It sees the picture shrunk to this; at most the detector's own `long_side_px`."""
    floor: float
    nms_iou: float
    weight: float = 1.0
    """`merge.method=wbf`: how much its boxes and scores count, against 1 for the detector's own model."""

    def __post_init__(self) -> None:
        """Check the values."""
        require(self.long_side_px >= 32, f"long_side_px={self.long_side_px} must be at least 32")
        share("floor", self.floor)
        share("nms_iou", self.nms_iou)
        positive("weight", self.weight)


@dataclass(frozen=True)
class DetectorConfig(Section):
    """One model at work, or several as one: the size of the input and the scores that count."""

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
    tiles: TilesConfig = field(default_factory=TilesConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    members: dict[str, MemberConfig] = field(default_factory=dict)
    """Further models; what all of them find is merged by `merge`."""
    merge: MergeConfig = field(default_factory=MergeConfig)

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
        self._check_members()

    def _check_members(self) -> None:
        labels = set(self.model.classes.values())
        for name, member in self.members.items():
            other = sorted(set(member.model.classes.values()) - labels)
            require(not other, f"members.{name} looks for {', '.join(other)}, which {self.model.id} does not")
            own = self.long_side_px
            fits = member.long_side_px <= own
            require(fits, f"members.{name}.long_side_px must be at most that of the detector, long_side_px={own}")
        votes, n_models = self.merge.min_votes, 1 + len(self.members)
        require(votes <= n_models, f"merge.min_votes={votes} cannot be reached by {n_models} models")
        votes, n_views = self.augment.merge.min_votes, (1 + len(self.augment.scales)) * (1 + self.augment.flip)
        require(votes <= n_views, f"augment.merge.min_votes={votes} cannot be reached by {n_views} views")

    @property
    def models(self) -> tuple[ModelConfig, ...]:
        """All models that are run: its own, then those of its members."""
        return (self.model, *(member.model for member in self.members.values()))


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
