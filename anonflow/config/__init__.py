"""The typed configuration. `conf/*.yaml` is checked against these dataclasses before anything starts.

Every number carries its unit in its name. Values are checked here, once, so that the code that uses them can
rely on them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from anonflow.config.audio import AUDIO_MODES, AudioConfig
from anonflow.config.base import Section, require
from anonflow.config.detection import (
    MERGES,
    AdaptiveConfig,
    AugmentConfig,
    DetectorConfig,
    LabelConfig,
    MemberConfig,
    MergeConfig,
    ModelConfig,
    TilesConfig,
)
from anonflow.config.keep import CHAPTER_PARTS, KeepConfig
from anonflow.config.limits import LimitsConfig
from anonflow.config.lineage import LineageConfig
from anonflow.config.masking import OPERATORS, REGION_UNITS, SHAPES, MaskStyle, RegionConfig, TimeSpan, VideoRegions
from anonflow.config.picture import PictureConfig
from anonflow.config.retention import RetentionConfig
from anonflow.config.runtime import (
    ChunkConfig,
    DebugConfig,
    DetectStageConfig,
    RuntimeConfig,
    SourceConfig,
    StageConfig,
)
from anonflow.config.tracking import (
    AppearanceConfig,
    BridgeConfig,
    DropConfig,
    EdgeConfig,
    PlateContextConfig,
    ReverseConfig,
    RulesConfig,
    StabiliseConfig,
    TrackerConfig,
)
from anonflow.config.video import CODECS, PRESETS, VideoConfig

__all__ = [
    "AUDIO_MODES",
    "CHAPTER_PARTS",
    "CODECS",
    "MERGES",
    "OPERATORS",
    "PRESETS",
    "REGION_UNITS",
    "SHAPES",
    "AdaptiveConfig",
    "AnonymizeConfig",
    "AppearanceConfig",
    "AudioConfig",
    "AugmentConfig",
    "BridgeConfig",
    "ChunkConfig",
    "DebugConfig",
    "DetectStageConfig",
    "DetectorConfig",
    "DropConfig",
    "EdgeConfig",
    "HidingConfig",
    "KeepConfig",
    "LabelConfig",
    "LimitsConfig",
    "LineageConfig",
    "MaskStyle",
    "MemberConfig",
    "MergeConfig",
    "ModelConfig",
    "PictureConfig",
    "PlateContextConfig",
    "RegionConfig",
    "RetentionConfig",
    "ReverseConfig",
    "RulesConfig",
    "RuntimeConfig",
    "SourceConfig",
    "StabiliseConfig",
    "StageConfig",
    "TilesConfig",
    "TimeSpan",
    "TrackerConfig",
    "VideoConfig",
    "VideoRegions",
]


@dataclass(frozen=True)
class HidingConfig(Section):
    """What is looked for, and what of it is hidden: all that decides on masks."""

    policy: dict[str, Any]
    """The values that the other sections refer to; kept as a record of what was chosen."""
    detector: dict[str, DetectorConfig]
    label: dict[str, LabelConfig]
    adaptive: AdaptiveConfig
    tracker: TrackerConfig
    stabilise: StabiliseConfig
    rules: RulesConfig
    mask: dict[str, MaskStyle]

    def __post_init__(self) -> None:
        """Check what no part can check alone."""
        require(bool(self.detector), "no detector is configured; use detector=faces_plates, faces or plates")
        for label in self.labels:
            require(label in self.mask, f"label '{label}' is detected but mask.{label} is not configured")
            require(label in self.label, f"label '{label}' is detected but label.{label} is not configured")

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of all labels, sorted; a label's code is its position."""
        return tuple(sorted({label for d in self.detector.values() for label in d.model.classes.values()}))


@dataclass(frozen=True)
class AnonymizeConfig(HidingConfig):
    """Everything that one run is made of."""

    input: str
    output: str
    source: SourceConfig
    limits: LimitsConfig
    chunk: ChunkConfig
    regions: list[VideoRegions]
    """By hand; from the file that `regions=` names."""
    video: VideoConfig
    audio: AudioConfig
    picture: PictureConfig
    runtime: RuntimeConfig
    keep: RetentionConfig
    debug: DebugConfig

    def __post_init__(self) -> None:
        """Check what no part can check alone."""
        super().__post_init__()
        by_hand = any(entry.mute for entry in self.regions)
        mutes_nothing = self.audio.mode == "mute_spans" and not (by_hand or self.audio.spans)
        require(not mutes_nothing, "audio=mute_spans has no spans; set audio.spans, or mute: in the regions file")
        is_ignored = by_hand and self.audio.mode == "copy"
        require(not is_ignored, "the regions file mutes spans, which audio=copy publishes; use audio=mute_spans")
