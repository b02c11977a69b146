"""Which output belongs to which source: of two files, of two folders, or of a finished run by its ledger."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from anonflow.assure.ledger import ledger_rows
from anonflow.config import SourceConfig
from anonflow.errors import ConfigError
from anonflow.pipeline.collisions import possible_results
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.pipeline.seal import ROOT_NAME, read_head
from anonflow.pipeline.sources import list_sources
from anonflow.remote.access import Access
from anonflow.remote.path import RemotePath
from anonflow.storage import StoragePath, located
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


def find_pairs(
    source: StoragePath, output: StoragePath, config: SourceConfig, access: Access | None = None
) -> tuple[Pair, ...]:
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
    return tuple(_pairs_of_folders(source, output, config, access or Access()))


def find_run(folder: StoragePath) -> StoragePath:
    """The folder of a finished run: `folder` itself (`OUTPUT/_anonflow/RUN`), or of an output folder the last one.

    Raises:
        ConfigError: there is no finished run.
    """
    ledgers = sorted(_ledgers(folder))
    if not ledgers:
        raise ConfigError(f"{folder} is neither a finished run nor an output folder with one: no {_LEDGER} there.")
    control = ledgers[-1].parent.parent
    head = read_head(control)
    named = control / head.run_id / _LEDGER if head else ledgers[-1]
    return named.parent if named in ledgers else ledgers[-1].parent


def all_runs(control: StoragePath) -> list[StoragePath]:
    """The folders of all runs that finished, the first one first; those that lost a part are among them."""
    return sorted({path.parent for name in (_LEDGER, ROOT_NAME) for path in control.glob(f"*/{name}")})


def pairs_of_run(run: StoragePath, access: Access | None = None) -> Iterator[Pair]:
    """The pairs that a run published or found unchanged, by its ledger; quarantined sources have none."""
    access = access or Access()
    for row in ledger_rows(run):
        if row["status"] != Status.QUARANTINED:
            output = located(row["output_uri"], access)
            yield Pair(
                name=row["relative_path"],
                source=located(row["uri"], access),
                output=_if_there(output),
                source_sha256=row["source_sha256"],
                output_sha256=row["output_sha256"],
            )


def names_of_outputs(run: StoragePath, hashes: Collection[str]) -> dict[str, str]:
    """The sources whose outputs had these SHA-256: where an output holds another's content, it says whose."""
    return {
        row["output_sha256"]: row["relative_path"] for row in ledger_rows(run) if row["output_sha256"] in hashes
    }


def _if_there(path: StoragePath) -> StoragePath | None:
    return path if path.exists() else None


def _ledgers(folder: StoragePath) -> Iterator[StoragePath]:
    if (folder / _LEDGER).exists():
        yield folder / _LEDGER
    yield from folder.glob(f"{CONTROL_FOLDER}/*/{_LEDGER}")


def _pairs_of_folders(
    folder: StoragePath, output: StoragePath, config: SourceConfig, access: Access
) -> Iterator[Pair]:
    claimed: set[StoragePath] = set()
    for source in list_sources(str(folder), output, config, access).sources:
        path = located(source.uri, access)
        possible = (located(result, access) for result in possible_results(source, output, config))
        outputs = [result for result in possible if result.exists()]
        claimed.update((*outputs, _real(path)))
        yield from (Pair(source.relative_path, path, found) for found in outputs)
        if not outputs:
            yield Pair(source.relative_path, path, None)
    for name, path in _results_below(output).items():
        if path not in claimed and _real(path) not in claimed:
            yield Pair(name, None, path)


def _results_below(output: StoragePath) -> dict[str, StoragePath]:
    """By their names below `output`."""
    found: dict[str, StoragePath]
    if isinstance(output, RemotePath):
        found = {path.relative_to(output).as_posix(): path for path in output.found_below()}
    else:
        found = {path.relative_to(output).as_posix(): path for path in output.rglob("*") if not path.is_dir()}
    return {name: found[name] for name in sorted(found) if name.partition("/")[0] != CONTROL_FOLDER}


def _real(path: StoragePath) -> StoragePath:
    return path if isinstance(path, RemotePath) else path.resolve()
