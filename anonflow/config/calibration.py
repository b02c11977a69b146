"""What a calibration is to reach, and what it may try."""

from __future__ import annotations

import re
from dataclasses import dataclass

from anonflow.config.base import Section, not_negative, positive, require, share

GENERATED = "generated"
"""`data=generated`: videos with known truth are drawn instead of read."""


@dataclass(frozen=True)
class TargetConfig(Section):
    """Means over videos with something to hide, which must lie below; None: not asked."""

    leak_rate: float | None
    """Of the share of a video's object-frames that leak."""
    leaked_object_share: float | None
    """Of the share of a video's objects that leak in one frame at least."""

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("leak_rate", "leaked_object_share"):
            value = getattr(self, name)
            require(value is None or 0 < value < 1, f"target.{name}={value} must lie between 0 and 1, or be null")

    @property
    def is_set(self) -> bool:
        """Whether anything is to be certified."""
        return self.leak_rate is not None or self.leaked_object_share is not None


@dataclass(frozen=True)
class CostsConfig(Section):
    """What errors cost, in one currency; None: costs do not count."""

    miss_per_s: float | None
    """A second in which an object is to be seen."""
    false_mask_per_s: float | None
    """A second in which the whole picture is hidden in vain."""

    def __post_init__(self) -> None:
        """Check the values."""
        both = (self.miss_per_s is None) == (self.false_mask_per_s is None)
        require(both, "costs.miss_per_s and costs.false_mask_per_s belong together: give both or neither")
        not_negative("costs.miss_per_s", self.miss_per_s)
        not_negative("costs.false_mask_per_s", self.false_mask_per_s)


@dataclass(frozen=True)
class GridConfig(Section):
    """What is tried."""

    thresholds: tuple[float, ...]
    margins: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("thresholds", "margins"):
            values = getattr(self, name)
            require(len(values) > 0, f"grid.{name} is empty; name one value at least")
            require(len(set(values)) == len(values), f"grid.{name} names a value twice")
        for threshold in self.thresholds:
            share("grid.thresholds", threshold)
        for margin in self.margins:
            require(0 <= margin <= 5, f"grid.margins: {margin} must lie between 0 and 5")


@dataclass(frozen=True)
class SplitConfig(Section):
    """Which videos the choice is not made by, and which belong together."""

    test_share: float
    """Share of the videos that are kept for a test of the answer; 0: none."""
    folds: int
    """Parts of a cross-validation; 0: none."""
    seed: int

    def __post_init__(self) -> None:
        """Check the values."""
        require(0 <= self.test_share < 1, f"split.test_share={self.test_share} must be at least 0 and below 1")
        require(self.folds == 0 or self.folds >= 2, f"split.folds={self.folds} must be 0, or 2 or more")


@dataclass(frozen=True)
class GeneratedConfig(Section):
    """`data=generated`: how many videos, and from which seed."""

    videos: int
    seed: int

    def __post_init__(self) -> None:
        """Check the values."""
        require(1 <= self.videos <= 100_000, f"generated.videos={self.videos} must lie between 1 and 100000")


@dataclass(frozen=True)
class CalibrationConfig(Section):
    """Target, grid and splits of one calibration."""

    name: str
    """Of the policy that is written."""
    target: TargetConfig
    confidence: float
    costs: CostsConfig
    labels: list[str] | None
    """What is calibrated, at one threshold and margin; None: all that the data annotates."""
    covered_share: float
    min_visible: float
    grid: GridConfig
    split: SplitConfig
    generated: GeneratedConfig
    archive_videos: int
    """Size of the archive that the residual risk is told for."""

    def __post_init__(self) -> None:
        """Check what no part can check alone."""
        plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", self.name) is not None
        require(plain, f"name={self.name} must be letters, digits, _ and -: it becomes the name of a file")
        require(0.5 <= self.confidence < 1, f"confidence={self.confidence} must be at least 0.5 and below 1")
        require(0 < self.covered_share <= 1, f"covered_share={self.covered_share} must lie in (0, 1]")
        require(0 <= self.min_visible < 1, f"min_visible={self.min_visible} must lie in [0, 1)")
        positive("archive_videos", self.archive_videos)
        has_aim = self.target.is_set or self.costs.miss_per_s is not None
        require(has_aim, "nothing to calibrate for: set target.leak_rate (certified), or costs (not certified)")
        require(self.labels is None or len(self.labels) > 0, "labels=[] leaves nothing to calibrate")
