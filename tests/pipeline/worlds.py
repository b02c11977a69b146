"""A run in a temporary folder: real clips, real stages, and a detector that sees what a test wants it to see."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from anonflow.config import AnonymizeConfig
from anonflow.detect.models import ModelStore
from anonflow.jobs.launch import typed
from anonflow.pipeline.context import RunContext, derive_keys
from anonflow.pipeline.paths import Paths
from anonflow.pipeline.rows import Outcome, Row
from anonflow.pipeline.sources import list_sources
from anonflow.pipeline.stages import detect as detect_stage
from anonflow.pipeline.stages.detect import Detect
from anonflow.pipeline.stages.join import join
from anonflow.pipeline.stages.mask import mask
from anonflow.pipeline.stages.plan import plan
from anonflow.pipeline.stages.stitch import stitch
from anonflow.types import Boxes, Picture
from tests.media import Clip, make_clip

BOX = (10.0, 8.0, 40.0, 40.0)
SHORT_CHUNKS = (
    "chunk.length_s=0.6",
    "chunk.overlap_frames=4",
    "video.preset=ultrafast",
    "video.crf=20",
    "video.copy_clean=false",
    "detector=faces",
    # The tests' boxes are in pixels of a picture that was enlarged to twice its size.
    "detector.face.max_upscale=2",
)


@cache
def configuration(*overrides: str) -> AnonymizeConfig:
    """The configuration that these overrides give."""
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        composed = compose("anonymize", overrides=["input=unused", "output=unused", *overrides])
    return typed(composed, AnonymizeConfig)


@dataclass
class FixedDetector:
    """Sees the same boxes in every picture."""

    boxes: Sequence[tuple[float, float, float, float]] = (BOX,)
    provider: str = "cpu"
    calls: int = 0
    failure: Exception | None = None

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """`boxes`, with a high score and the first label, or the failure."""
        self.calls += 1
        if self.failure:
            raise self.failure
        xyxy = np.array(self.boxes, np.float32).reshape(-1, 4)
        n = len(xyxy)
        return [Boxes(xyxy, np.full(n, 0.9, np.float32), np.zeros(n, np.int16)) for _ in pictures]


def use_detector(monkeypatch: pytest.MonkeyPatch, detector: FixedDetector) -> FixedDetector:
    """Let the detect stage build `detector` whatever model is configured."""

    def built(*_: object) -> FixedDetector:
        return detector

    def no_weights(*_: object) -> bytes:
        return b""

    monkeypatch.setattr(detect_stage, "open_detector", built)
    monkeypatch.setattr(ModelStore, "load", no_weights)
    return detector


@dataclass(frozen=True)
class World:
    """A folder with an input, an output and a work folder."""

    root: Path
    config: AnonymizeConfig

    @classmethod
    def make(cls, root: Path, *overrides: str) -> World:
        """A world below `root` whose chunks are short."""
        config = replace(configuration(*SHORT_CHUNKS, *overrides), input=str(root / "in"), output=str(root / "out"))
        (root / "in").mkdir(exist_ok=True)
        return cls(root, config)

    @property
    def output(self) -> Path:
        """Where results go."""
        return self.root / "out"

    def clip(self, name: str = "clip.mp4", clip: Clip | None = None) -> Path:
        """A clip in the input folder; 40 frames, so three chunks, unless `clip` says otherwise."""
        path = self.root / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return make_clip(path, clip)

    def context(self, run_id: str = "run1") -> RunContext:
        """The run `run_id`."""
        paths = Paths(self.output, self.output / "_anonflow" / "work", run_id, derive_keys(self.config))
        return RunContext(self.config, paths, self.root / "models")

    def rows(self) -> list[Row]:
        """The first row of each source."""
        return [Row.of(s) for s in list_sources(self.config.input, self.output, self.config.source).sources]

    def row(self) -> Row:
        """The first row of the only source."""
        (row,) = self.rows()
        return row

    def outcome(self, run_id: str = "run1") -> Outcome:
        """Run the only source through all stages."""
        (outcome,) = run_all(self.rows(), self.context(run_id))
        return outcome


def run_all(rows: Sequence[Row], context: RunContext) -> list[Outcome]:
    """All stages over `rows`, in the order of the graph; the outcomes."""
    rows = [made for row in rows for made in plan(row, context)]
    detect = Detect(context)
    rows = [detect(row) for row in rows]
    rows = [made for row in rows for made in stitch(row, context)]
    rows = [mask(row, context) for row in rows]
    return [outcome_of(made) for row in rows for made in join(row, context)]


def tracked(row: Row, context: RunContext) -> list[Row]:
    """The rows after plan and detect."""
    detect: Callable[[Row], Row] = Detect(context)
    return [detect(made) for made in plan(row, context)]


def masked(row: Row, context: RunContext) -> list[Row]:
    """The rows after mask."""
    return [mask(made, context) for one in tracked(row, context) for made in stitch(one, context)]


def outcome_of(row: Row) -> Outcome:
    """The outcome that a row carries."""
    assert row.outcome, "the row has not ended"
    return Outcome.from_json(json.loads(row.outcome))


def published_files(output: Path) -> list[str]:
    """Results below the output folder."""
    return sorted(
        path.relative_to(output).as_posix()
        for path in output.rglob("*")
        if path.is_file() and "_anonflow" not in path.parts
    )
