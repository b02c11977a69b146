"""What every stage of a run knows: configuration, models, paths, and where to report progress."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self

from anonflow.config import AnonymizeConfig
from anonflow.pipeline.paths import Keys, Paths
from anonflow.storage import StoragePath, fingerprint, located
from anonflow.track.configured import overlap_frames

ALGORITHM_VERSION = 4
"""Raised whenever the same configuration gives other detections, tracks or masks than before."""


class Progress(Protocol):
    """Takes what stages have done; must be cheap and must never fail a stage."""

    def add(self, stage: str, frames: int) -> None:
        """`frames` more frames went through `stage`."""

    def planned(self, frames: int, sources: int = 1, chunks: int = 1) -> None:
        """A video of `frames` frames was planned, or an album of `sources` pictures, which are a frame each."""

    def task(self, stage: str, state: str, wall_s: float) -> None:
        """A task of a stage ended in a state of `observe.metrics`."""

    def failed(self, stage: str, reason: str) -> None:
        """Something failed in a stage."""

    def retried(self, stage: str) -> None:
        """A task began again after its worker had died."""

    def began(self, task: str, limit_s: float) -> None:
        """A task began, or goes on; `limit_s` from now it will have left, or been ended."""

    def left(self, task: str) -> None:
        """A task that began is at work no more."""


@dataclass(frozen=True)
class SilentProgress:
    """Tells nobody."""

    def add(self, stage: str, frames: int) -> None:
        """Nothing."""

    def planned(self, frames: int, sources: int = 1, chunks: int = 1) -> None:
        """Nothing."""

    def task(self, stage: str, state: str, wall_s: float) -> None:
        """Nothing."""

    def failed(self, stage: str, reason: str) -> None:
        """Nothing."""

    def retried(self, stage: str) -> None:
        """Nothing."""

    def began(self, task: str, limit_s: float) -> None:
        """Nothing."""

    def left(self, task: str) -> None:
        """Nothing."""


@dataclass(frozen=True)
class RunContext:
    """One run, as its stages see it."""

    config: AnonymizeConfig
    paths: Paths
    model_cache: Path
    progress: Progress = field(default_factory=SilentProgress)
    stage: str = ""
    """The stage that has it, for metrics and logs."""

    def at(self, stage: str) -> Self:
        """The run as a stage has it."""
        return replace(self, stage=stage)

    def source(self, uri: str) -> StoragePath:
        """Where a source is."""
        return located(uri, self.config.runtime.access)


def derive_keys(config: AnonymizeConfig) -> Keys:
    """The fingerprints under which a run's results are kept and found again."""
    chunk = {"length_s": config.chunk.length_s, "overlap_frames": overlap_frames(config.chunk, config.tracker)}
    plan = {"version": ALGORITHM_VERSION, "chunk": chunk, "on_damage": config.source.on_damage}
    detections = plan | {"detectors": {name: _sees(asdict(d)) for name, d in config.detector.items()}}
    tracks = detections | {
        "tracker": asdict(config.tracker),
        "thresholds": {name: (d.threshold, d.keep_threshold) for name, d in config.detector.items()},
        "adaptive": asdict(config.adaptive),
        "label": {label: asdict(config.label[label]) for label in config.labels},
    }
    masks = tracks | {
        "stabilise": asdict(config.stabilise),
        "rules": asdict(config.rules),
        "mask": {label: asdict(config.mask[label]) for label in config.labels},
        "regions": [asdict(entry) for entry in config.regions],
        "video": asdict(config.video),
        "audio": asdict(config.audio),
        "picture": config.picture.metadata,
        "debug": asdict(config.debug),
    }
    if config.keep.detections:  # what was done without keeping them cannot be kept any more
        masks |= {"keep": "detections"}
    return Keys(*(fingerprint(value) for value in (plan, detections, tracks, masks)))


def _sees(detector: dict[str, object]) -> dict[str, object]:
    """The part of a detector's configuration that its detections depend on: all but thresholds and batching."""
    return {
        name: value for name, value in detector.items() if name not in ("threshold", "keep_threshold", "batch_size")
    }


class FrameMeter:
    """Counts a chunk's frames and tells the progress of every few; leave the block to tell of the rest."""

    def __init__(self, progress: Progress, stage: str, every_frames: int = 16) -> None:
        """Count for `stage`."""
        self._progress, self._stage, self._every = progress, stage, every_frames
        self._waiting = 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Tell of the frames not yet told of."""
        self._tell()

    def tick(self) -> None:
        """One frame is done."""
        self._waiting += 1
        if self._waiting == self._every:
            self._tell()

    def _tell(self) -> None:
        if self._waiting:
            self._progress.add(self._stage, self._waiting)
        self._waiting = 0
