"""Which inputs, in which pieces, with which resources."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import PurePath

from anonflow.config.base import Section, choice, not_negative, positive, require
from anonflow.config.lineage import LineageConfig
from anonflow.config.stores import StorageOptions, check_options, given_options
from anonflow.remote.access import Access

ON_DAMAGE = ("quarantine", "hide_frame")
LOG_FORMATS = ("text", "json")
_STALL_EMBEDDED_S, _STALL_CLUSTER_S = 1_800.0, 86_400.0
_SHORTEST_STALL_S = 10.0


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
    signing_key: str | None
    """Ed25519 private key in PEM, for its owner's eyes only; None: runs are not signed."""
    max_attempts: int
    chunk_timeout_s: float
    lease_s: float
    """A run that has given no sign of life for so long is taken for dead by the next one on its folders."""
    progress: bool | None
    metrics_port: int | None
    """Embedded Ray only: where its agent answers Prometheus; None: at any free port."""
    log_format: str
    """`text`, or `json`: an object a line."""
    log_paths: bool | None
    """Whether log lines may name files; None: those of `text` do."""
    lineage: LineageConfig
    plan: StageConfig
    detect: DetectStageConfig
    stitch: StageConfig
    mask: StageConfig
    join: StageConfig
    storage_options: StorageOptions = field(default_factory=dict)
    storage_retry_s: float = 300.0
    storage_block_kb: int = 1024
    storage_cache_mb: int = 16
    scratch_dir: str | None = None
    scratch_max_mb: int | None = None
    stall_timeout_s: float | None = None
    """Without any sign of life for so long, the run ends; None: see `longest_stall_s`."""

    @property
    def longest_stall_s(self) -> float:
        """How long nothing may happen: storage is asked again meanwhile; on a cluster, nodes are waited for."""
        if self.stall_timeout_s is not None:
            return self.stall_timeout_s
        return max(_STALL_EMBEDDED_S if self.address is None else _STALL_CLUSTER_S, 3 * self.storage_retry_s)

    @property
    def access(self) -> Access:
        """How remote files are reached."""
        return Access(
            options=given_options(self.storage_options),
            retry_s=self.storage_retry_s,
            block_bytes=self.storage_block_kb * 2**10,
            cache_bytes=self.storage_cache_mb * 2**20,
            scratch_dir=self.scratch_dir,
            scratch_max_bytes=None if self.scratch_max_mb is None else self.scratch_max_mb * 2**20,
        )

    def __post_init__(self) -> None:
        """Check the values."""
        choice("runtime.provider", self.provider, ("auto", "cpu", "cuda"))
        require(self.object_store_mb >= 80, f"runtime.object_store_mb={self.object_store_mb} must be at least 80")
        require(self.max_attempts >= 1, f"runtime.max_attempts={self.max_attempts} must be at least 1")
        positive("runtime.chunk_timeout_s", self.chunk_timeout_s)
        _check_stall(self.stall_timeout_s)
        require(self.lease_s >= 1, f"runtime.lease_s={self.lease_s} must be at least 1")
        positive("runtime.logical_cpus_per_core", self.logical_cpus_per_core)
        choice("runtime.log_format", self.log_format, LOG_FORMATS)
        is_mixed = self.log_format == "json" and self.progress is True
        require(
            not is_mixed, "runtime.progress=true draws bars between the lines of runtime.log_format=json; use false"
        )
        port = self.metrics_port
        require(port is None or 0 < port < 65_536, f"runtime.metrics_port={port} must lie between 1 and 65535")
        require(
            port is None or self.address is None,
            f"runtime.metrics_port={port} is for the embedded Ray; the cluster at runtime.address={self.address} "
            "answers at the ports that its nodes were started with (ray start --metrics-export-port)",
        )
        _check_storage(self)

    @property
    def logs_paths(self) -> bool:
        """Whether log lines may name files."""
        return self.log_format == "text" if self.log_paths is None else self.log_paths


def _check_stall(seconds: float | None) -> None:
    require(
        seconds is None or (seconds >= _SHORTEST_STALL_S and math.isfinite(seconds)),
        f"runtime.stall_timeout_s={seconds} must be at least {_SHORTEST_STALL_S:g} and finite, or null",
    )


def _check_storage(config: RuntimeConfig) -> None:
    not_negative("runtime.storage_retry_s", config.storage_retry_s)
    block_kb, cache_mb = config.storage_block_kb, config.storage_cache_mb
    require(block_kb >= 16, f"runtime.storage_block_kb={block_kb} must be at least 16")
    require(
        cache_mb * 1024 >= 2 * block_kb,
        f"runtime.storage_cache_mb={cache_mb} must hold two blocks of runtime.storage_block_kb={block_kb}",
    )
    limit = config.scratch_max_mb
    require(limit is None or limit >= 1, f"runtime.scratch_max_mb={limit} must be at least 1, or null")
    check_options("runtime.storage_options", config.storage_options)


@dataclass(frozen=True)
class DebugConfig(Section):
    """Evidence for those who test the pipeline."""

    mask_digests: bool
