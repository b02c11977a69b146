"""Measure what masks leak over time: `anonflow leaks [output=FOLDER] [scenes=[NAME,...]] [KEY=VALUE ...]`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Console
from rich.text import Text

from anonflow.config import HidingConfig
from anonflow.detect.models import ModelStore, default_cache_dir
from anonflow.errors import ConfigError
from anonflow.evaluate.benchmark import run
from anonflow.evaluate.methods import ladder
from anonflow.evaluate.scenes import suite
from anonflow.evaluate.truth import Scene
from anonflow.jobs.launch import DONE, launch
from anonflow.jobs.recorded import recorded_scene


@dataclass(frozen=True)
class ModelsConfig:
    """Where models come from and what they run on; the keys of `runtime` that count here."""

    provider: str
    model_cache: str | None
    model_dirs: list[str]

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}


@dataclass(frozen=True)
class LeaksConfig(HidingConfig):
    """What is measured, and on what."""

    output: str | None
    scenes: list[str] | None
    """Synthetic scenes; None: all, or none if an input is given."""
    input: str | None
    truth: str | None
    truth_label: str
    """What the objects of `truth` are."""
    covered_share: float
    min_visible: float
    runtime: ModelsConfig

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if not 0 < self.covered_share <= 1:
            raise ConfigError(f"covered_share={self.covered_share} must be above 0 and at most 1")
        if not 0 <= self.min_visible < 1:
            raise ConfigError(f"min_visible={self.min_visible} must be at least 0 and below 1")
        if (self.input is None) != (self.truth is None):
            raise ConfigError("input and truth belong together: give both or neither")
        if self.scenes == [] and self.input is None:
            raise ConfigError("scenes=[] leaves nothing to measure; name a scene, or give input and truth")


def main() -> int:
    """Run the job on the command line's overrides; give the exit code."""
    return int(launch("leaks", LeaksConfig, _run))


def _run(config: LeaksConfig, console: Console) -> int:
    table = run(ladder(config), _scenes(config), config.covered_share, config.min_visible)
    out = Console()
    out.print(Text(table.text()), soft_wrap=True, end="")
    if config.output is not None:
        for path in table.write(Path(config.output).expanduser()):
            out.print(Text(str(path.absolute())), soft_wrap=True)
    return int(DONE)


def _scenes(config: LeaksConfig) -> Iterator[Scene]:
    if config.scenes is not None or config.input is None:
        yield from suite(config.scenes)
    if config.input is not None and config.truth is not None:
        runtime = config.runtime
        cache = Path(runtime.model_cache).expanduser() if runtime.model_cache else default_cache_dir()
        store = ModelStore(cache, [Path(folder).expanduser() for folder in runtime.model_dirs])
        video, truth = Path(config.input).expanduser(), Path(config.truth).expanduser()
        yield recorded_scene(video, truth, config.truth_label, config.detector, store, runtime.provider)


if __name__ == "__main__":
    sys.exit(main())
