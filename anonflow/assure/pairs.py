"""Which output belongs to which source: of two files, of two folders, or of a finished run by its ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from anonflow.assure.ledger import ledger_rows
from anonflow.config import SourceConfig
from anonflow.errors import ConfigError
from anonflow.pipeline.collisions import possible_results
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.pipeline.seal import ROOT_NAME, read_head
from anonflow.pipeline.sources import list_sources, local_path
from anonflow.types import Status

_LEDGER = "ledger.parquet"


@dataclass(frozen=True)
class Pair:
    """A source and its output. The hashes are those of the ledger; empty where there is none."""

    name: str
    """The source's path below the input, which the patterns of regions match; of two files, its name."""
    source: Path | None
    """None: there is none, though something lies in the folder of outputs."""
    output: Path | None
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


def find_run(folder: Path) -> Path:
    """The folder of a finished run: `folder` itself (`OUTPUT/_anonflow/RUN`), or of an output folder the last one.

    Raises:
        ConfigError: there is no finished run.
    """
    ledgers = sorted(_ledgers(folder))
    if not ledgers:
        raise ConfigError(f"{folder} is neither a finished run nor an output folder with one: no {_LEDGER} there.")
    control = ledgers[-1].parents[1]
    head = read_head(control)
    named = control / head.run_id / _LEDGER if head else ledgers[-1]
    return named.parent if named in ledgers else ledgers[-1].parent


def all_runs(control: Path) -> list[Path]:
    """The folders of all runs that finished, the first one first; those that lost a part are among them."""
    return sorted({path.parent for name in (_LEDGER, ROOT_NAME) for path in control.glob(f"*/{name}")})


def pairs_of_run(run: Path) -> Iterator[Pair]:
    """The pairs that a run published or found unchanged, by its ledger; quarantined sources have none."""
    for row in ledger_rows(run):
        if row["status"] != Status.QUARANTINED:
            output = Path(row["output_uri"])
            yield Pair(
                name=row["relative_path"],
                source=Path(local_path(row["uri"])),
                output=output if output.exists() else None,
                source_sha256=row["source_sha256"],
                output_sha256=row["output_sha256"],
            )


def names_of_outputs(run: Path, hashes: Collection[str]) -> dict[str, str]:
    """The sources whose outputs had these SHA-256: where an output holds another's content, it says whose."""
    return {
        row["output_sha256"]: row["relative_path"] for row in ledger_rows(run) if row["output_sha256"] in hashes
    }


def _ledgers(folder: Path) -> Iterator[Path]:
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
