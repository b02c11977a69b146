"""Check finished outputs: `anonflow verify SOURCE OUTPUT` (files or folders), `anonflow verify OUTPUT` (a run)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from anonflow.assure.pairs import Pair, find_pairs, pairs_of_run, report_of_run
from anonflow.assure.verify import Agreed, Verified, verify_all
from anonflow.config import AudioConfig, LimitsConfig, PictureConfig, SourceConfig, VideoConfig, VideoRegions
from anonflow.config.base import Section, require
from anonflow.errors import ConfigError, one_line
from anonflow.jobs.launch import DONE, QUARANTINED, launch
from anonflow.pipeline.sources import local_path
from anonflow.remote.access import Access
from anonflow.storage import located, write_json
from anonflow.types import Verdict

_KEYS = ("input", "output")
_MAX_ROWS = 20
_HEARD = ("mute_spans", "pitch")
_OF_THE_RUN = ("source", "limits", "video", "audio", "picture")


@dataclass(frozen=True)
class VerifyConfig(Section):
    """What is compared, and what was agreed on."""

    input: str | None
    output: str
    report: str | None
    workers: int | None
    source: SourceConfig
    limits: LimitsConfig
    video: VideoConfig
    audio: AudioConfig
    picture: PictureConfig
    regions: list[VideoRegions]

    def __post_init__(self) -> None:
        """Check the values."""
        require(self.workers is None or self.workers >= 1, f"workers={self.workers} must be at least 1, or null")


def main() -> int:
    """Run the job on the command line's arguments; give the exit code."""
    sys.argv[1:] = named(sys.argv[1:])
    return int(launch("verify", VerifyConfig, _run))


def named(arguments: Sequence[str]) -> list[str]:
    """The arguments as overrides: the paths that come without a key are the input and the output, or the output."""
    paths = [a for a in arguments if not a.startswith(("-", "+", "~")) and ("=" not in a or Path(a).exists())]
    if len(paths) > len(_KEYS):
        return list(arguments)  # Hydra says what is wrong with them
    keys = dict(zip(paths, _KEYS[-len(paths) :], strict=True)) if paths else {}
    return [f"{keys[a]}={_quoted(a)}" if a in keys else a for a in arguments]


def _quoted(path: str) -> str:
    """As Hydra's grammar takes any path."""
    escaped = path.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _run(config: VerifyConfig, console: Console) -> int:
    pairs, agreed = _asked_for(config)
    verified = list(
        track(
            verify_all(pairs, agreed, config.workers or os.cpu_count() or 1),
            description="verifying",
            total=len(pairs),
            console=console,
            disable=not console.is_terminal,
        )
    )
    out = Console()
    out.print(_points(verified[0]) if len(verified) == 1 else _files(verified))
    if config.report is not None:
        write_json(
            Path(config.report), [{"name": v.name, "checks": [asdict(c) for c in v.checks]} for v in verified]
        )
    return int(DONE if all(v.holds for v in verified) else QUARANTINED)


def _asked_for(config: VerifyConfig) -> tuple[tuple[Pair, ...], Agreed]:
    output = located(config.output, Access())
    regions = tuple(config.regions)
    if config.input is not None:
        pairs = find_pairs(Path(local_path(config.input)), Path(local_path(config.output)), config.source)
        agreed = Agreed(config.source, config.limits, config.video, config.audio, config.picture, regions)
        return pairs, agreed
    if given := sorted({name.partition(".")[0] for name in _overridden()}.intersection(_OF_THE_RUN)):
        raise ConfigError(
            f"{', '.join(given)}: a finished run is verified with what its report says; leave it out."
        )
    pairs = pairs_of_run(output)
    if not pairs:
        raise ConfigError(f"{output}: this run published nothing that could be verified.")
    made: dict[str, Any] = json.loads(report_of_run(output).read_text())["configuration"]
    if not regions and made["audio"]["mode"] in _HEARD and any(entry["mute"] for entry in made["regions"]):
        raise ConfigError("The run muted spans of its regions file: give it, regions=FILE, to tell what it muted.")
    values = {name: made[name] for name in _OF_THE_RUN}
    return pairs, replace(TypeAdapter(Agreed).validate_python(values), regions=regions)


def _overridden() -> Iterable[str]:
    """Keys that the command line sets."""
    if not HydraConfig.initialized():
        return ()
    return (override.partition("=")[0].lstrip("+~") for override in HydraConfig.get().overrides.task)


def _points(verified: Verified) -> Table:
    """Every point of the contract of one pair."""
    table = Table(box=None, pad_edge=False)
    for column in ("point", "verdict", "detail"):
        table.add_column(column, overflow="fold")
    for point in verified.checks:
        style = "bold red" if point.verdict is Verdict.BROKEN else ""
        table.add_row(point.name, Text(str(point.verdict), style), point.detail)
    return table


def _files(verified: Sequence[Verified]) -> Table:
    """How many hold, and what is wrong with those that don't."""
    wrong = [v for v in verified if not v.holds]
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("hold", str(len(verified) - len(wrong)))
    table.add_row("broken", str(len(wrong)))
    for one in wrong[:_MAX_ROWS]:
        points = "; ".join(f"{point.name} ({point.detail})" for point in one.broken)
        table.add_row("broken", Text(f"{one_line(one.name)}: {points}"))
    if len(wrong) > _MAX_ROWS:
        table.add_row("", f"... and {len(wrong) - _MAX_ROWS} more: report=FILE.json has all")
    return table


if __name__ == "__main__":
    sys.exit(main())
