"""Which output belongs to which source: of two files, of two folders, or of a finished run by its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from anonflow.config import SourceConfig
from anonflow.errors import ConfigError
from anonflow.pipeline.collisions import possible_results
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.pipeline.sources import list_sources, local_path
from anonflow.remote.access import Access
from anonflow.storage import StoragePath, arrow_source, located
from anonflow.types import Status

_LEDGER = "ledger.parquet"


@dataclass(frozen=True)
class Pair:
    """A source and its output. The hashes are those of the ledger; empty where there is none."""

    name: str
    """The source's path below the input, which the patterns of regions match; of two files, its name."""
    source: StoragePath | None
    """None: there is none, though something lies in the folder of outputs."""
    output: StoragePath | None
    """None: there is none."""
    source_sha256: str = ""
    output_sha256: str = ""


def find_pairs(source: Path, output: Path, config: SourceConfig) -> tuple[Pair, ...]:
    """The pairs of two files, or of a folder of sources and the folder of their outputs.

    Of folders, a source has a pair for every output that may be its own; so has every output without a source.

    Raises:
        ConfigError: one of them does not exist, or one is a folder and the other is not.
    """
    for path in (source, output):
        if not path.exists():
            raise ConfigError(f"{path} does not exist: give a source and its output, or two folders.")
    if source.is_dir() != output.is_dir():
        raise ConfigError(f"{source} and {output} must both be files, or both be folders.")
    if not source.is_dir():
        return (Pair(source.name, source, output),)
    return tuple(_pairs_of_folders(source, output, config))


def pairs_of_run(folder: StoragePath) -> tuple[Pair, ...]:
    """The pairs that a run published or found unchanged, by its ledger; quarantined sources have none.

    `folder` is that of the run (`OUTPUT/_anonflow/RUN`), or an output folder, of which the last run counts.

    Raises:
        ConfigError: there is no finished run.
    """
    ledger = next(iter(sorted(_ledgers(folder), reverse=True)), None)
    if ledger is None:
        raise ConfigError(f"{folder} is neither a finished run nor an output folder with one: no {_LEDGER} there.")
    rows = pq.read_table(arrow_source(ledger)).to_pylist()
    return tuple(
        Pair(
            name=row["relative_path"],
            source=located(row["uri"], Access()),
            output=_if_there(located(row["output_uri"], Access())),
            source_sha256=row["source_sha256"],
            output_sha256=row["output_sha256"],
        )
        for row in rows
        if row["status"] != Status.QUARANTINED
    )


def report_of_run(folder: StoragePath) -> StoragePath:
    """The report beside the ledger that `pairs_of_run` reads."""
    return max(_ledgers(folder)).with_name("report.json")


def _if_there(path: StoragePath) -> StoragePath | None:
    return path if path.exists() else None


def _ledgers(folder: StoragePath) -> Iterator[StoragePath]:
    if (folder / _LEDGER).exists():
        yield folder / _LEDGER
    yield from folder.glob(f"{CONTROL_FOLDER}/*/{_LEDGER}")


def _pairs_of_folders(folder: Path, output: Path, config: SourceConfig) -> Iterator[Pair]:
    claimed: set[Path] = set()
    for source in list_sources(str(folder), output, config).sources:
        path = Path(local_path(source.uri))
        outputs = [p for p in map(Path, possible_results(source, output, config)) if p.exists()]
        claimed.update((*outputs, path.resolve()))
        yield from (Pair(source.relative_path, path, found) for found in outputs)
        if not outputs:
            yield Pair(source.relative_path, path, None)
    for path in sorted(output.rglob("*")):
        name = path.relative_to(output)
        is_result = name.parts[0] != CONTROL_FOLDER and not path.is_dir()
        if is_result and path not in claimed and path.resolve() not in claimed:
            yield Pair(name.as_posix(), None, path)
