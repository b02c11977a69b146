"""Check finished outputs: `anonflow verify SOURCE OUTPUT` (files or folders), `anonflow verify OUTPUT` (a run)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from anonflow.assure.ledger import Finding
from anonflow.assure.models import check_models, models_of
from anonflow.assure.pairs import Pair, all_runs, find_pairs, find_run, names_of_outputs, pairs_of_run
from anonflow.assure.runs import check_order, check_run
from anonflow.assure.tally import Tally, tallied
from anonflow.assure.verify import Agreed, Verified, verify_all
from anonflow.config import (
    AudioConfig,
    LimitsConfig,
    ModelConfig,
    PictureConfig,
    SourceConfig,
    VideoConfig,
    VideoRegions,
)
from anonflow.config.base import require
from anonflow.config.finished import FinishedConfig
from anonflow.detect.models import ModelStore, default_cache_dir
from anonflow.errors import ConfigError, one_line
from anonflow.evidence.signing import read_public_key
from anonflow.jobs.launch import DONE, QUARANTINED, launch
from anonflow.pipeline.seal import REPORT_NAME
from anonflow.storage import StoragePath, located
from anonflow.types import Verdict

_KEYS = ("input", "output")
_MAX_ROWS = 20
_HEARD = ("mute_spans", "pitch")
_OF_THE_RUN = ("source", "limits", "video", "audio", "picture")


@dataclass(frozen=True)
class VerifyConfig(FinishedConfig):
    """What is compared, and what was agreed on."""

    input: str | None
    report: str | None
    workers: int | None
    compare: bool
    all_runs: bool
    public_key: str | None
    model_cache: str | None
    model_dirs: list[str]
    source: SourceConfig
    limits: LimitsConfig
    video: VideoConfig
    audio: AudioConfig
    picture: PictureConfig
    regions: list[VideoRegions]

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
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
    asked = _of_files(config) if config.input is not None else _of_run(config)
    found = list(asked.findings)
    workers = config.workers or os.cpu_count() or 1
    verified = verify_all(asked.pairs, asked.agreed, workers) if asked.agreed is not None else iter(())
    with tallied(Path(config.report) if config.report else None) as tally:
        last = _count(verified, tally, console)
        if asked.run is not None and tally.strange_hashes:
            tally.tell_of_swaps(names_of_outputs(asked.run, tally.strange_hashes))
    out = Console()
    is_one = last is not None and asked.run is None and tally.n_holding + tally.n_broken == 1
    out.print(_points(last) if last is not None and is_one else _files(tally))
    if asked.run is not None:
        out.print(_record(asked.run, found))
    return int(QUARANTINED if found or tally.n_broken else DONE)


@dataclass(frozen=True)
class _Asked:
    """What is to be verified: pairs, by what was agreed on, and what is wrong with a run's record."""

    pairs: Iterable[Pair]
    agreed: Agreed | None
    """None: the record does not even say."""
    run: StoragePath | None = None
    findings: Iterable[Finding] = ()


def _of_files(config: VerifyConfig) -> _Asked:
    if config.public_key is not None or config.all_runs:
        raise ConfigError(
            "public_key and all_runs are about a run's record: give the output folder of a run alone."
        )
    source, output = located(str(config.input), config.access), config.folder
    agreed = Agreed(
        config.source,
        config.limits,
        config.video,
        config.audio,
        config.picture,
        tuple(config.regions),
        config.compare,
    )
    return _Asked(find_pairs(source, output, config.source, config.access), agreed)


def _of_run(config: VerifyConfig) -> _Asked:
    if given := sorted({name.partition(".")[0] for name in _overridden()}.intersection(_OF_THE_RUN)):
        raise ConfigError(
            f"{', '.join(given)}: a finished run is verified with what its report says; leave it out."
        )
    run = find_run(config.folder)
    findings = list(_findings(run, config))
    try:
        agreed = _agreed(run, config)
    except (OSError, ValueError, KeyError, TypeError):
        if not findings:
            raise
        return _Asked((), None, run, findings)
    pairs = pairs_of_run(run, config.access)
    return _Asked(_as_far_as_readable(pairs) if findings else pairs, agreed, run, findings)


def _as_far_as_readable(pairs: Iterator[Pair]) -> Iterator[Pair]:
    """Those of a ledger that is broken, which has been said."""
    try:
        yield from pairs
    except (OSError, ValueError, KeyError, TypeError):
        return


def _findings(run: StoragePath, config: VerifyConfig) -> Iterator[Finding]:
    """What is wrong with the record of the run, of all runs if asked, of their order, and of the models."""
    key = read_public_key(Path(config.public_key).expanduser()) if config.public_key else None
    yield from check_run(run, key)
    if config.all_runs:
        for other in all_runs(run.parent):
            if other != run:
                yield from check_run(other, key)
    yield from check_order(run.parent)
    try:
        report = json.loads((run / REPORT_NAME).read_bytes())
        detectors = report["configuration"]["detector"].values()
        models = TypeAdapter(list[ModelConfig]).validate_python([m for d in detectors for m in models_of(d)])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return  # that the report is not what it was has been said
    cache = Path(config.model_cache).expanduser() if config.model_cache else default_cache_dir()
    store = ModelStore(cache, [Path(folder).expanduser() for folder in config.model_dirs])
    yield from (Finding(f"run {run.name}", check) for check in check_models(report, models, store))


def _agreed(run: StoragePath, config: VerifyConfig) -> Agreed:
    """What the run's report says was agreed on. Raises OSError, ValueError and KeyError for one that does not."""
    regions = tuple(config.regions)
    made: dict[str, Any] = json.loads((run / REPORT_NAME).read_bytes())["configuration"]
    has_spans = config.compare and made["audio"]["mode"] in _HEARD and any(e["mute"] for e in made["regions"])
    if not regions and has_spans:
        raise ConfigError("The run muted spans of its regions file: give it, regions=FILE, to tell what it muted.")
    agreed = TypeAdapter(Agreed).validate_python({name: made[name] for name in _OF_THE_RUN})
    return replace(agreed, regions=regions, compares_sources=config.compare)


def _count(verified: Iterable[Verified], tally: Tally, console: Console) -> Verified | None:
    """Count all; the last of them."""
    last = None
    for last in track(verified, description="verifying", console=console, disable=not console.is_terminal):
        tally.add(last)
    return last


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


def _files(tally: Tally) -> Table:
    """How many hold, and what is wrong with those that don't."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("hold", str(tally.n_holding))
    table.add_row("broken", str(tally.n_broken))
    if tally.n_not_compared:
        table.add_row("", f"{tally.n_not_compared} were not compared with their sources, only with their SHA-256")
    for one in tally.wrong[:_MAX_ROWS]:
        points = "; ".join(f"{point.name} ({point.detail})" for point in one.broken)
        table.add_row("broken", Text(f"{one_line(one.name)}: {points}"))
    if tally.n_broken > _MAX_ROWS:
        table.add_row("", f"... and {tally.n_broken - _MAX_ROWS} more: report=FILE.json has all")
    return table


def _record(run: StoragePath, findings: Sequence[Finding]) -> Table:
    """Whether the run's record is what it was."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("record", Text(f"of run {run.name}: {'broken' if findings else 'holds'}"))
    for finding in findings[:_MAX_ROWS]:
        table.add_row("broken", Text(f"{one_line(finding.name)}: {finding.check.name} ({finding.check.detail})"))
    if len(findings) > _MAX_ROWS:
        table.add_row("", f"... and {len(findings) - _MAX_ROWS} more")
    return table


if __name__ == "__main__":
    sys.exit(main())
