"""What is measured against which ground truth, and what the report shows."""

from __future__ import annotations

from dataclasses import dataclass

from anonflow.config.base import Section, choice, not_negative, positive, require

FORMATS = ("coco", "wider", "cvat", "voc", "mot", "yolo", "ccpd")
UNLABELED = ("error", "exclude", "empty")
INTERVALS = ("percentile", "bca")


@dataclass(frozen=True)
class DataConfig(Section):
    """The ground truth."""

    path: str
    format: str | None
    """None: recognised by content."""
    labels: dict[str | int, str | None] | None
    """Label of the data to one of the run, None to leave it out; `*` for all that are not named."""
    unlabeled: str
    media: str | None
    """Folder of the pictures and videos, if they are not with the annotations."""
    wider_lists: str | None

    def __post_init__(self) -> None:
        """Check the values."""
        if self.format is not None:
            choice("data.format", self.format, FORMATS)
        choice("data.unlabeled", self.unlabeled, UNLABELED)
        is_wider = self.format in (None, "wider")
        require(self.wider_lists is None or is_wider, "data.wider_lists is for data.format=wider only")

    @property
    def mapping(self) -> dict[str, str | None]:
        """`labels` by name; YAML takes bare numbers for numbers."""
        return {str(name): to for name, to in (self.labels or {}).items()}


@dataclass(frozen=True)
class BootstrapConfig(Section):
    """Intervals by resampling videos and pictures."""

    samples: int
    """0: no intervals."""
    confidence: float
    method: str
    seed: int

    def __post_init__(self) -> None:
        """Check the values."""
        require(0 <= self.samples <= 1_000_000, "judge.bootstrap.samples must lie between 0 and 1000000")
        require(0 < self.confidence < 1, "judge.bootstrap.confidence must lie between 0 and 1")
        choice("judge.bootstrap.method", self.method, INTERVALS)


@dataclass(frozen=True)
class CostConfig(Section):
    """What errors cost, in any unit: only their ratio chooses a threshold."""

    miss: float
    """Of an object that is not detected."""
    false_mask: float
    """Of a detection where nothing is."""

    def __post_init__(self) -> None:
        """Check the values."""
        positive("judge.cost.miss", self.miss)
        positive("judge.cost.false_mask", self.false_mask)


@dataclass(frozen=True)
class SweepConfig(Section):
    """Thresholds and mask margins at which the leak rate is computed, from the same detections."""

    thresholds: list[float]
    margins: list[float]

    def __post_init__(self) -> None:
        """Check the values."""
        for threshold in self.thresholds:
            require(0 <= threshold <= 1, f"judge.sweep.thresholds: {threshold} must lie between 0 and 1")
        for margin in self.margins:
            not_negative("judge.sweep.margins", margin)


@dataclass(frozen=True)
class JudgeConfig(Section):
    """What counts as found and as covered."""

    iou: float
    """Overlap from which a detection has found an object."""
    covered_share: float
    """An object leaks in a frame if less of its box is under masks."""
    min_visible: float
    """Objects of which at most this share can be seen are not judged."""
    min_count: int
    """Groups of fewer object-frames are not reported."""
    bootstrap: BootstrapConfig
    cost: CostConfig
    sweep: SweepConfig

    def __post_init__(self) -> None:
        """Check the values."""
        require(0 < self.iou <= 1, f"judge.iou={self.iou} must be above 0 and at most 1")
        require(0 < self.covered_share <= 1, f"judge.covered_share={self.covered_share} must lie in (0, 1]")
        require(0 <= self.min_visible < 1, f"judge.min_visible={self.min_visible} must lie in [0, 1)")
        require(self.min_count >= 1, f"judge.min_count={self.min_count} must be at least 1")


@dataclass(frozen=True)
class EvaluationReportConfig(Section):
    """What the report shows beyond numbers."""

    gallery: bool
    """Pictures of the worst misses: the report then shows faces."""
    gallery_size: int
    names: bool
    """Names of pictures and videos in `items.parquet`."""

    def __post_init__(self) -> None:
        """Check the values."""
        require(1 <= self.gallery_size <= 200, "report.gallery_size must lie between 1 and 200")
