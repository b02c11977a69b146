"""A ledger and its chains, read side by side, row by row: which row or chain is not what was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.evidence.canonical import canonical_bytes
from anonflow.evidence.chain import Record, broken_link, head
from anonflow.evidence.merkle import MerkleTree
from anonflow.pipeline.proof import CHAINS_NAME, HEAD_COLUMN, Root, leaf, row_sha256
from anonflow.pipeline.seal import LEDGER_NAME
from anonflow.storage import StoragePath
from anonflow.types import Check, Verdict

_ROWS_AT_ONCE = 1024
_REMOVED = Check("ledger row", Verdict.BROKEN, "it has a chain but no row: the row was removed")
_ADDED = Check("ledger row", Verdict.BROKEN, "it has no chain: the row was added, or its chain removed")
_TWICE = Check("ledger row", Verdict.BROKEN, "it is there twice")
_OUT_OF_PLACE = Check("ledger row", Verdict.BROKEN, "it is not in its place: rows are sorted by URI")
_CHAIN_OUT_OF_PLACE = Check("chain", Verdict.BROKEN, "it is not in its place")
# Of a chain's records: which of their values are columns of the ledger, too.
_SAID = {
    "source": {"bytes": "source_bytes", "sha256": "source_sha256"},
    "output": {"bytes": "output_bytes", "sha256": "output_sha256"},
    "outcome": {"status": "status"},
    "plan": {"frames": "frames"},
    "configuration": {"fingerprint": "fingerprint"},
}


@dataclass(frozen=True)
class Finding:
    """What is wrong with one row or chain."""

    name: str
    """The source's path below the input; of a chain without a row, its video id."""
    check: Check


def ledger_rows(run: StoragePath) -> Iterator[dict[str, Any]]:
    """The rows of a run's ledger in their order. Raises OSError, and ValueError for what is no sound Parquet."""
    with (run / LEDGER_NAME).open("rb") as file:
        try:
            with pq.ParquetFile(file) as ledger:
                for batch in ledger.iter_batches(_ROWS_AT_ONCE):
                    yield from batch.to_pylist()
        except (pa.ArrowException, OverflowError, MemoryError) as error:
            raise ValueError(f"{LEDGER_NAME} cannot be read: {type(error).__name__}") from error


@dataclass(frozen=True)
class Chain:
    """The lines of one source in the file of chains."""

    video_id: str
    records: list[Record]
    n_broken_lines: int


def chains(run: StoragePath) -> Iterator[Chain]:
    """The chains of a run in their order; a line that is no record in canonical form counts as broken."""
    with (run / CHAINS_NAME).open("rb") as lines:
        last = ""

        def owner(record: Record | None) -> str:
            nonlocal last
            last = last if record is None else str(record.get("video_id"))
            return last

        for video_id, group in groupby(map(_record, lines), owner):
            read = list(group)
            records = [record for record in read if record is not None]
            yield Chain(video_id, records, len(read) - len(records))


@dataclass
class Reading:
    """One pass over ledger and chains. It gives what is wrong; then `root` is that of the rows as they are."""

    run: StoragePath
    models: Mapping[str, list[str]] | None = None
    """SHA-256 by detector, and `configuration_sha256`, as the report has them; None: not known."""
    configuration_sha256: str | None = None
    _tree: MerkleTree = field(default_factory=MerkleTree)

    @property
    def root(self) -> Root:
        """Of the rows that were read."""
        return Root(self._tree.root, self._tree.n_leaves)

    def findings(self) -> Iterator[Finding]:
        """Read all. Raises OSError and ValueError for files that are not there or broken."""
        known, last_uri, found = _Known(self.run), "", chains(self.run)
        chain = next(found, None)
        for row in ledger_rows(self.run):
            self._tree.add(leaf(row))
            name, uri, video_id = row["relative_path"] or row["uri"], row["uri"], row["video_id"]
            while chain is not None and chain.video_id != video_id and not known.has_row(chain.video_id):
                yield Finding(chain.video_id, _REMOVED)
                chain = next(found, None)
            if uri <= last_uri:
                yield Finding(name, _TWICE if uri == last_uri else _OUT_OF_PLACE)
            if uri == last_uri:
                continue
            last_uri = uri
            if chain is None or (chain.video_id != video_id and not known.has_chain(video_id)):
                yield Finding(name, _ADDED)
                continue
            if chain.video_id == video_id:
                yield from (Finding(name, check) for check in self._points(row, chain))
            else:
                yield Finding(name, _CHAIN_OUT_OF_PLACE)
            chain = next(found, None)
        yield from (Finding(left.video_id, _REMOVED) for left in (chain, *found) if left is not None)

    def _points(self, row: Mapping[str, Any], chain: Chain) -> Iterator[Check]:
        """What is wrong with a row and the chain beside it."""
        records = chain.records
        if chain.n_broken_lines:
            yield _broken("chain", f"{chain.n_broken_lines} of its lines are no records")
        if (place := broken_link(records)) is not None:
            yield _broken(
                "chain", f"record {place} ({records[place].get('kind')}) does not follow from the one before"
            )
        elif head(records) != row.get(HEAD_COLUMN):
            yield _broken("chain", "it ends otherwise than the ledger says")
        if records and records[-1].get("row_sha256") != row_sha256(row):
            yield _broken("ledger row", "it is not the row that was recorded")
        for record in records:
            yield from self._contradictions(row, record)

    def _contradictions(self, row: Mapping[str, Any], record: Record) -> Iterator[Check]:
        kind = str(record.get("kind"))
        if kind == "outcome" and row["status"] == "unchanged":
            return  # of the run that published it, whose chain goes on here
        for key, column in _SAID.get(kind, {}).items():
            if record.get(key) is not None and record[key] != row[column]:
                yield _broken("chain", f"its {kind} says another {key} than the ledger")
        if kind != "configuration" or row["status"] != "published" or self.models is None:
            return
        if record.get("models") != self.models:
            yield _broken("models", "it was made with another model than the report names")
        if record.get("configuration_sha256") != self.configuration_sha256:
            yield _broken("configuration", "it was made with another configuration than the report shows")


class _Known:
    """Which sources have a row and which a chain: read only when the two do not go side by side any more."""

    def __init__(self, run: StoragePath) -> None:
        self._run = run
        self._rows: set[str] | None = None
        self._chains: set[str] | None = None

    def has_row(self, video_id: str) -> bool:
        if self._rows is None:
            self._rows = {row["video_id"] for row in ledger_rows(self._run)}
        return video_id in self._rows

    def has_chain(self, video_id: str) -> bool:
        if self._chains is None:
            self._chains = {chain.video_id for chain in chains(self._run)}
        return video_id in self._chains


def _record(line: bytes) -> Record | None:
    """None unless the line is a record in the form that was hashed."""
    try:
        value = json.loads(line)
        is_exact = isinstance(value, dict) and canonical_bytes(value) + b"\n" == line
    except (ValueError, TypeError, RecursionError):
        return None
    return value if is_exact else None


def _broken(name: str, detail: str) -> Check:
    return Check(name, Verdict.BROKEN, detail)
