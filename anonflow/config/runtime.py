"""Which inputs, in which pieces, with which resources."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath

from anonflow.config.base import Section, choice, not_negative, positive, require

ON_DAMAGE = ("quarantine", "hide_frame")


@dataclass(frozen=True)
class SourceConfig(Section):
    """Which files of a folder are inputs, and what becomes of damaged ones."""

    extensions: list[str]
    on_damage: str = "quarantine"
    """`quarantine`: the whole video; `hide_frame`: frames that are damaged, or may be, are hidden whole."""
    picture_extensions: list[str] = field(default_factory=list)
    """They are worked on in albums. What a file really is, its content says."""

    def __post_init__(self) -> None:
        """Check the values."""
        choice("source.on_damage", self.on_damage, ON_DAMAGE)

    @property
    def hides_damage(self) -> bool:
        """Whether damaged frames are hidden instead of stopping their video."""
        return self.on_damage == "hide_frame"

    def is_picture_name(self, name: str) -> bool:
        """Whether a file of that name is taken for a picture until it is opened."""
        known = {extension.lower().lstrip(".") for extension in self.picture_extensions}
        return PurePath(name).suffix.lower().lstrip(".") in known


@dataclass(frozen=True)
class ChunkConfig(Section):
    """How videos are cut for parallel work. It cannot change what is masked, only how fast."""

    length_s: float
    overlap_frames: int | None
    """None: what the tracker needs to be warm, most of the time."""

    def __post_init__(self) -> None:
        """Check the values."""
        positive("chunk.length_s", self.length_s)
        not_negative("chunk.overlap_frames", self.overlap_frames)


@dataclass(frozen=True)
class StageConfig(Section):
    """What Ray reserves for one task or actor of a stage, and how many may run at once."""

    num_cpus: float
    memory_mb: int
    max_workers: int | None
    """None: as many as the cluster's cores."""

    def __post_init__(self) -> None:
        """Check the values."""
        not_negative("num_cpus", self.num_cpus)
        not_negative("memory_mb", self.memory_mb)
        workers = self.max_workers
        require(workers is None or workers >= 1, f"max_workers={workers} must be at least 1, or null")


@dataclass(frozen=True)
class DetectStageConfig(StageConfig):
    """The actor pool of the detect stage."""

    num_gpus: float | None
    """GPUs an actor; None: one where the cluster has GPUs and the provider can use them, else none."""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        not_negative("num_gpus", self.num_gpus)


@dataclass(frozen=True)
class RuntimeConfig(Section):
    """Where and with what the pipeline runs."""

    address: str | None
    """None: an embedded Ray that ends with the run; `auto` or an address: join that cluster."""
    object_store_mb: int
    logical_cpus_per_core: float
    """Embedded Ray only: Ray's logical CPUs are a budget, not cores (see docs in conf/runtime)."""
    provider: str
    work_dir: str | None
    detections_dir: str | None
    """Where detections stay for other runs to find; None: in the work folder, which does not stay."""
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
        choice("runtime.provider", self.provider, ("auto", "cpu", "cuda"))
        require(self.object_store_mb >= 80, f"runtime.object_store_mb={self.object_store_mb} must be at least 80")
        require(self.max_attempts >= 1, f"runtime.max_attempts={self.max_attempts} must be at least 1")
        positive("runtime.chunk_timeout_s", self.chunk_timeout_s)
        positive("runtime.logical_cpus_per_core", self.logical_cpus_per_core)


@dataclass(frozen=True)
class DebugConfig(Section):
    """Evidence for those who test the pipeline."""

    mask_digests: bool
