"""The typed configuration. `conf/*.yaml` is checked against these dataclasses before anything starts.

Every number carries its unit in its name. Values are checked here, once, so that the code that uses them can
rely on them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from anonflow.errors import ConfigError


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ConfigError(message)


def _share(name: str, value: float) -> None:
    _require(0.0 <= value <= 1.0, f"{name}={value} must lie between 0 and 1")


def _positive(name: str, value: float) -> None:
    _require(0 < value < math.inf, f"{name}={value} must be above 0 and finite")


def _not_negative(name: str, value: float | None) -> None:
    _require(value is None or 0 <= value < math.inf, f"{name}={value} must not be negative, and finite")


def _choice(name: str, value: str, known: tuple[str, ...]) -> None:
    _require(value in known, f"{name}={value} is unknown; choose one of: {', '.join(known)}")


class _Section:
    """A part of the configuration; keys that it does not have are errors."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True)
class SourceConfig(_Section):
    """Which files of a folder are inputs."""

    extensions: list[str]


@dataclass(frozen=True)
class ChunkConfig(_Section):
    """How videos are cut for parallel work. It cannot change what is masked, only how fast."""

    length_s: float
    overlap_frames: int

    def __post_init__(self) -> None:
        """Check the values."""
        _positive("chunk.length_s", self.length_s)
        _not_negative("chunk.overlap_frames", self.overlap_frames)


@dataclass(frozen=True)
class ModelConfig(_Section):
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
class DetectorConfig(_Section):
    """One model at work: the size of its input and the scores that count."""

    model: ModelConfig
    long_side_px: int
    max_upscale: float
    threshold: float
    """Detections at or above it are masked, tracked or not, and start tracks."""
    floor: float
    """Detections below it are forgotten; between floor and threshold they can only carry a track on."""
    nms_iou: float
    batch_size: int

    def __post_init__(self) -> None:
        """Check the values."""
        _require(self.long_side_px >= 32, f"long_side_px={self.long_side_px} must be at least 32")
        _positive("max_upscale", self.max_upscale)
        for name in ("threshold", "floor", "nms_iou"):
            _share(name, getattr(self, name))
        _require(self.floor <= self.threshold, f"floor={self.floor} must not exceed threshold={self.threshold}")
        _require(self.batch_size >= 1, f"batch_size={self.batch_size} must be at least 1")


@dataclass(frozen=True)
class TrackerConfig(_Section):
    """ByteTrack (Zhang et al., ECCV 2022). Its score thresholds are each detector's `threshold` and `floor`."""

    buffer_s: float
    """How long a track lives on without a detection."""
    min_hits: int
    """Associations after which a track counts as confirmed."""
    high_match_iou: float
    low_match_iou: float

    def __post_init__(self) -> None:
        """Check the values."""
        _not_negative("tracker.buffer_s", self.buffer_s)
        _require(self.min_hits >= 1, f"tracker.min_hits={self.min_hits} must be at least 1")
        _share("tracker.high_match_iou", self.high_match_iou)
        _share("tracker.low_match_iou", self.low_match_iou)


@dataclass(frozen=True)
class StabiliseConfig(_Section):
    """What is masked beyond the detections of a track, because the batch knows its future."""

    max_gap_s: float
    extend_before_s: float
    extend_after_s: float

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("max_gap_s", "extend_before_s", "extend_after_s"):
            _not_negative(f"stabilise.{name}", getattr(self, name))


OPERATORS = ("solid", "pixelate", "blur")
SHAPES = ("box", "ellipse")


@dataclass(frozen=True)
class MaskStyle(_Section):
    """How the objects of one label are hidden."""

    operator: str
    shape: str
    margin: float
    """Added on every side, as a share of the box's width or height."""
    cells: int
    """`pixelate`: mosaic cells across the longer side of the box; fewer hide more."""
    min_cell_px: int
    sigma: float
    """`blur`: Gaussian sigma as a share of the box's longer side; larger hides more."""
    min_sigma_px: float

    def __post_init__(self) -> None:
        """Check the values."""
        _choice("mask operator", self.operator, OPERATORS)
        _choice("mask shape", self.shape, SHAPES)
        _require(0 <= self.margin <= 5, f"mask margin={self.margin} must lie between 0 and 5")
        _require(self.cells >= 1, f"mask cells={self.cells} must be at least 1")
        _require(self.min_cell_px >= 1, f"mask min_cell_px={self.min_cell_px} must be at least 1")
        _positive("mask sigma", self.sigma)
        _positive("mask min_sigma_px", self.min_sigma_px)


CODECS = ("libx264", "libx265", "libsvtav1")


@dataclass(frozen=True)
class VideoConfig(_Section):
    """How the masked frames are encoded."""

    codec: str
    crf: int
    preset: str

    def __post_init__(self) -> None:
        """Check the values."""
        _choice("video.codec", self.codec, CODECS)
        _require(0 <= self.crf <= 63, f"video.crf={self.crf} must lie between 0 and 63")


@dataclass(frozen=True)
class StageConfig(_Section):
    """What Ray reserves for one task or actor of a stage, and how many may run at once."""

    num_cpus: float
    memory_mb: int
    max_workers: int | None
    """None: as many as the cluster's cores."""

    def __post_init__(self) -> None:
        """Check the values."""
        _not_negative("num_cpus", self.num_cpus)
        _not_negative("memory_mb", self.memory_mb)
        workers = self.max_workers
        _require(workers is None or workers >= 1, f"max_workers={workers} must be at least 1, or null")


@dataclass(frozen=True)
class DetectStageConfig(StageConfig):
    """The actor pool of the detect stage."""

    num_gpus: float | None
    """GPUs an actor; None: one where the cluster has GPUs and the provider can use them, else none."""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        _not_negative("num_gpus", self.num_gpus)


@dataclass(frozen=True)
class RuntimeConfig(_Section):
    """Where and with what the pipeline runs."""

    address: str | None
    """None: an embedded Ray that ends with the run; `auto` or an address: join that cluster."""
    object_store_mb: int
    logical_cpus_per_core: float
    """Embedded Ray only: Ray's logical CPUs are a budget, not cores (see docs in conf/runtime)."""
    provider: str
    work_dir: str | None
    model_cache: str | None
    model_dirs: list[str]
    max_attempts: int
    chunk_timeout_s: float
    progress: bool | None
    plan: StageConfig
    detect: DetectStageConfig
    stitch: StageConfig
    mask: StageConfig
    join: StageConfig

    def __post_init__(self) -> None:
        """Check the values."""
        _choice("runtime.provider", self.provider, ("auto", "cpu", "cuda"))
        _require(self.object_store_mb >= 80, f"runtime.object_store_mb={self.object_store_mb} must be at least 80")
        _require(self.max_attempts >= 1, f"runtime.max_attempts={self.max_attempts} must be at least 1")
        _positive("runtime.chunk_timeout_s", self.chunk_timeout_s)
        _positive("runtime.logical_cpus_per_core", self.logical_cpus_per_core)


@dataclass(frozen=True)
class DebugConfig(_Section):
    """Evidence for those who test the pipeline."""

    mask_digests: bool


@dataclass(frozen=True)
class AnonymizeConfig(_Section):
    """Everything that one run is made of."""

    input: str
    output: str
    source: SourceConfig
    chunk: ChunkConfig
    detector: dict[str, DetectorConfig]
    tracker: TrackerConfig
    stabilise: StabiliseConfig
    mask: dict[str, MaskStyle]
    video: VideoConfig
    runtime: RuntimeConfig
    debug: DebugConfig

    def __post_init__(self) -> None:
        """Check what no part can check alone."""
        _require(bool(self.detector), "no detector is configured; use detector=faces_plates, faces or plates")
        for label in self.labels:
            _require(label in self.mask, f"label '{label}' is detected but mask.{label} is not configured")

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of all labels, sorted; a label's code is its position."""
        return tuple(sorted({label for d in self.detector.values() for label in d.model.classes.values()}))
