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
    overlap_frames: int | None
    """None: what the tracker needs to be warm, most of the time."""

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
    """A detection at or above it is masked and starts a track."""
    keep_threshold: float
    """A detection at or above it carries a track on."""
    floor: float
    """Detections below it are forgotten at once; no adaption lowers a threshold below it."""
    nms_iou: float
    batch_size: int

    def __post_init__(self) -> None:
        """Check the values."""
        _require(self.long_side_px >= 32, f"long_side_px={self.long_side_px} must be at least 32")
        _positive("max_upscale", self.max_upscale)
        for name in ("threshold", "keep_threshold", "floor", "nms_iou"):
            _share(name, getattr(self, name))
        _require(
            self.floor <= self.keep_threshold <= self.threshold,
            f"floor={self.floor}, keep_threshold={self.keep_threshold}, threshold={self.threshold} must not fall",
        )
        _require(self.batch_size >= 1, f"batch_size={self.batch_size} must be at least 1")


@dataclass(frozen=True)
class LabelConfig(_Section):
    """Whether a kind of object is hidden, and which sizes are none."""

    hide: bool
    min_side_px: float
    """Boxes whose shorter side is less are dropped."""
    max_side_share: float
    """Boxes wider or higher than this share of the picture are dropped."""

    def __post_init__(self) -> None:
        """Check the values."""
        _not_negative("min_side_px", self.min_side_px)
        _share("max_side_share", self.max_side_share)


@dataclass(frozen=True)
class AdaptiveConfig(_Section):
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
            _share(f"adaptive.{name}", getattr(self, name))
        _require(self.dark_luma < self.bright_luma, "adaptive.dark_luma must be below adaptive.bright_luma")
        _require(
            0 <= self.sparse_objects < self.crowded_objects,
            "adaptive.sparse_objects must be below adaptive.crowded_objects",
        )


@dataclass(frozen=True)
class AppearanceConfig(_Section):
    """DeepSORT's association by looks (Wojke et al., ICIP 2017)."""

    max_cosine_distance: float
    gallery: int
    """The newest detections of a track that it is compared with."""

    def __post_init__(self) -> None:
        """Check the values."""
        _require(0 < self.max_cosine_distance <= 2, "tracker.appearance.max_cosine_distance must lie in (0, 2]")
        _require(1 <= self.gallery <= 1000, "tracker.appearance.gallery must lie between 1 and 1000")


@dataclass(frozen=True)
class TrackerConfig(_Section):
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
        _not_negative("tracker.buffer_s", self.buffer_s)
        _not_negative("tracker.max_speed_sides_per_s", self.max_speed_sides_per_s)
        _require(self.min_hits >= 1, f"tracker.min_hits={self.min_hits} must be at least 1")
        _share("tracker.high_match_iou", self.high_match_iou)
        if self.low_match_iou is not None:
            _share("tracker.low_match_iou", self.low_match_iou)


@dataclass(frozen=True)
class ReverseConfig(_Section):
    """Tracking backwards from every birth over weak detections."""

    enabled: bool
    buffer_s: float
    match_iou: float

    def __post_init__(self) -> None:
        """Check the values."""
        _not_negative("stabilise.reverse.buffer_s", self.buffer_s)
        _share("stabilise.reverse.match_iou", self.match_iou)


@dataclass(frozen=True)
class DropConfig(_Section):
    """Tracks both shorter and weaker than this are not hidden; zeros keep all."""

    min_duration_s: float
    min_score: float

    def __post_init__(self) -> None:
        """Check the values."""
        _not_negative("stabilise.drop.min_duration_s", self.min_duration_s)
        _share("stabilise.drop.min_score", self.min_score)


@dataclass(frozen=True)
class StabiliseConfig(_Section):
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
            _not_negative(f"stabilise.{name}", getattr(self, name))


@dataclass(frozen=True)
class BridgeConfig(_Section):
    """Rule: what is in both neighbours of a frame is put into the middle."""

    enabled: bool
    min_iou: float

    def __post_init__(self) -> None:
        """Check the values."""
        _share("rules.bridge_neighbours.min_iou", self.min_iou)


@dataclass(frozen=True)
class EdgeConfig(_Section):
    """Rule: a box close to the picture's edge reaches it."""

    enabled: bool
    labels: list[str]
    within: float

    def __post_init__(self) -> None:
        """Check the values."""
        _not_negative("rules.extend_at_edge.within", self.within)


@dataclass(frozen=True)
class PlateContextConfig(_Section):
    """Rule: a plate must leave room for a vehicle around it, unless it stays."""

    enabled: bool
    label: str
    vehicle_widths: float
    min_visible: float
    keep_duration_s: float

    def __post_init__(self) -> None:
        """Check the values."""
        _require(1 <= self.vehicle_widths <= 100, "rules.plate_context.vehicle_widths must lie between 1 and 100")
        _share("rules.plate_context.min_visible", self.min_visible)
        _not_negative("rules.plate_context.keep_duration_s", self.keep_duration_s)


@dataclass(frozen=True)
class RulesConfig(_Section):
    """Rules after detection."""

    bridge_neighbours: BridgeConfig
    extend_at_edge: EdgeConfig
    plate_context: PlateContextConfig


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
class TimeSpan(_Section):
    """A part of a video, in seconds since its first frame: `from_s <= time < to_s`."""

    from_s: float = 0.0
    to_s: float | None = None
    """None: to the end."""

    def __post_init__(self) -> None:
        """Check the values."""
        _not_negative("from_s", self.from_s)
        _not_negative("to_s", self.to_s)
        ends_later = self.to_s is None or self.from_s < self.to_s
        _require(ends_later, f"from_s={self.from_s} must lie before to_s={self.to_s}")

    def touches(self, start_s: float, end_s: float) -> bool:
        """Whether a frame that is shown from `start_s` to `end_s` is shown at any time of it."""
        has_begun = self.from_s <= start_s or self.from_s < end_s
        return has_begun and (self.to_s is None or start_s < self.to_s)

    def covers(self, start_s: float, end_s: float) -> bool:
        """Whether that frame is shown at times of it only."""
        has_not_ended = self.to_s is None or (start_s < self.to_s and end_s <= self.to_s)
        return self.from_s <= start_s and has_not_ended


REGION_UNITS = ("share", "px")


@dataclass(frozen=True)
class RegionConfig(TimeSpan):
    """A box or a polygon that somebody drew on the picture as it is shown, for all of a video or a span of it."""

    box: tuple[float, float, float, float] | None = None
    """`x1, y1, x2, y2`; `x2` and `y2` are exclusive."""
    polygon: tuple[tuple[float, float], ...] | None = None
    """Corners `x, y`, in order; the last is joined to the first."""
    units: str = "share"
    """Of the coordinates: `share` of the picture's width and height, or `px`."""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        _choice("units", self.units, REGION_UNITS)
        _require((self.box is None) != (self.polygon is None), "a region needs a box or a polygon, and not both")
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            ordered = x1 < x2 and y1 < y2
            _require(ordered, f"box={list(self.box)} must be x1, y1, x2, y2 with x1 < x2 and y1 < y2")
        n_points = len(set(self.polygon or ()))
        _require(
            self.polygon is None or n_points >= 3, f"polygon has {n_points} different points; it needs 3 or more"
        )
        for value in (value for corner in self.corners for value in corner):
            _require(math.isfinite(value), f"the coordinate {value} must be finite")
            is_share = 0 <= value <= 1
            _require(
                self.units != "share" or is_share, f"{value} is no share between 0 and 1; pixels need `units: px`"
            )

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """The points that say where it is: two opposite corners of a box, all corners of a polygon."""
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            return (x1, y1), (x2, y2)
        return self.polygon or ()


@dataclass(frozen=True)
class VideoRegions(_Section):
    """What somebody decided by hand for the videos whose path below the input matches a pattern."""

    videos: str
    """`*`, `?` and `[...]` as in `fnmatch`, case-sensitive; `*` matches `/` too."""
    hide: tuple[RegionConfig, ...] = ()
    """Always hidden, whatever a detector finds and whatever is kept."""
    keep: tuple[RegionConfig, ...] = ()
    """Left as it is, even where a detector finds something."""
    process: tuple[TimeSpan, ...] = ()
    """Outside of these nothing at all is hidden; without any, the whole video is worked on."""

    def __post_init__(self) -> None:
        """Check what no part can check alone."""
        _require(bool(self.videos), "videos must be a pattern of names, for example '*'")
        says_something = self.hide or self.keep or self.process
        _require(bool(says_something), f"nothing is said about '{self.videos}'; add hide, keep or process")


@dataclass(frozen=True)
class HidingConfig(_Section):
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
        _require(bool(self.detector), "no detector is configured; use detector=faces_plates, faces or plates")
        for label in self.labels:
            _require(label in self.mask, f"label '{label}' is detected but mask.{label} is not configured")
            _require(label in self.label, f"label '{label}' is detected but label.{label} is not configured")

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
    chunk: ChunkConfig
    regions: list[VideoRegions]
    """By hand; from the file that `regions=` names."""
    video: VideoConfig
    runtime: RuntimeConfig
    debug: DebugConfig
