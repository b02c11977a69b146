"""The proof of a ledger, made row by row as the ledger is written: its chains in one file, its root hash.

`chains.jsonl` holds a record a line, in the order of the ledger's rows; a line's SHA-256 is its record's hash. The
last record of each chain holds the hash of its ledger row, and the row the hash of that record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from anonflow.evidence.canonical import canonical_bytes
from anonflow.evidence.chain import Record, chained, head
from anonflow.evidence.merkle import MerkleTree

CHAINS_NAME = "chains.jsonl"
HEAD_COLUMN = "chain_head"


@dataclass(frozen=True)
class Root:
    """What stands for a whole ledger: the root of the Merkle tree (RFC 6962) over its rows in their order."""

    root: str
    leaves: int


class Proof:
    """Takes the rows of a ledger in their order; holds none of them."""

    def __init__(self, chains: BinaryIO, is_finished: Callable[[str], bool]) -> None:
        """`is_finished` says whether the chains of that run are on record, so that they need not be repeated."""
        self._chains, self._is_finished = chains, is_finished
        self._known: dict[str, bool] = {}
        self._tree = MerkleTree()

    def add(self, row: Mapping[str, Any], chain: Sequence[Record]) -> dict[str, Any]:
        """The row with its chain's head, once the chain is written. `row` has every other column of the ledger."""
        fact = {"kind": "ledger", "row_sha256": row_sha256(row)}
        closed = chained(str(row["video_id"]), [fact], chain)
        if len(chain) > 1 and chain[-1]["kind"] == "unchanged" and self._is_on_record(chain[-1]["run_id"]):
            closed = closed[-2:]
        for record in closed:
            self._chains.write(canonical_bytes(record) + b"\n")
        proved = {**row, HEAD_COLUMN: head(closed)}
        self._tree.add(leaf(proved))
        return proved

    def root(self) -> Root:
        """The root over all rows so far."""
        return Root(self._tree.root, self._tree.n_leaves)

    def _is_on_record(self, run_id: str) -> bool:
        if run_id not in self._known:
            self._known[run_id] = self._is_finished(run_id)
        return self._known[run_id]


def leaf(row: Mapping[str, Any]) -> bytes:
    """A ledger row as the Merkle tree hashes it: canonical JSON of all its columns."""
    return canonical_bytes({name: _plain(value) for name, value in row.items()})


def row_sha256(row: Mapping[str, Any]) -> str:
    """SHA-256 of a row without its chain's head."""
    return hashlib.sha256(leaf({name: value for name, value in row.items() if name != HEAD_COLUMN})).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    return value
