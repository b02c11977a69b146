"""Evaluations against each other, paired by video: `anonflow compare FOLDER FOLDER ... [output=FOLDER]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from anonflow.calibrate.compare import paired, read_evaluation
from anonflow.calibrate.comparison import comparison
from anonflow.errors import ConfigError
from anonflow.jobs.launch import DONE, launch
from anonflow.page.markdown import markdown
from anonflow.page.page import render
from anonflow.storage import write_bytes


@dataclass(frozen=True)
class CompareConfig:
    """What is compared, and how."""

    runs: list[str]
    output: str | None
    confidence: float
    samples: int
    seed: int

    def __post_init__(self) -> None:
        """Check the values."""
        if len(self.runs) < 2:
            raise ConfigError("give two folders of evaluations at least: anonflow compare FOLDER FOLDER")
        if not 0.5 <= self.confidence < 1:
            raise ConfigError(f"confidence={self.confidence} must be at least 0.5 and below 1")
        if not 100 <= self.samples <= 1_000_000:
            raise ConfigError(f"samples={self.samples} must lie between 100 and 1000000")


def main() -> int:
    """Run the job on the command line's overrides; give the exit code."""
    sys.argv[1:] = named(sys.argv[1:])
    return int(launch("compare", CompareConfig, _run))


def named(arguments: Sequence[str]) -> list[str]:
    """The arguments as overrides: those that come without a key are the runs."""
    paths = [a for a in arguments if not a.startswith(("-", "+", "~")) and ("=" not in a or Path(a).exists())]
    if not paths:
        return list(arguments)
    rest = [a for a in arguments if a not in paths]
    return [f"runs=[{','.join(map(_quoted, paths))}]", *rest]


def _quoted(path: str) -> str:
    """As Hydra's grammar takes any path."""
    escaped = path.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _run(config: CompareConfig, _console: Console) -> int:
    evaluations = paired([read_evaluation(Path(run).expanduser()) for run in config.runs])
    page = comparison(evaluations, config.confidence, config.samples, config.seed)
    out = Console()
    if config.output is None:
        out.print(Text(markdown(page)), soft_wrap=True, end="")
        return int(DONE)
    folder = Path(config.output).expanduser()
    for name, content in (("compare.md", markdown(page)), ("compare.html", render(page))):
        write_bytes(folder / name, content.encode())
        out.print(Text(str((folder / name).absolute())), soft_wrap=True)
    return int(DONE)


if __name__ == "__main__":
    sys.exit(main())
