"""The durable record of a run: a line per source as it ends, at the end one Parquet table, proved whole."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.errors import ReconcileError
from anonflow.pipeline.proof import CHAINS_NAME, Proof, Root
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.seal import is_sealed
from anonflow.storage import canonical_json, make_private_folder, naming_storage_errors, written_whole
from anonflow.tables import LEDGER
from anonflow.types import Source


class Ledger:
    """Collects the outcomes of a run; each is on disk before the next is taken."""

    def __init__(self, folder: Path) -> None:
        """Open `ledger.jsonl` in `folder`."""
        self._folder = folder
        self._outcomes: dict[str, Outcome] = {}
        make_private_folder(folder)
        with naming_storage_errors(folder):
            (folder / "ledger.jsonl").touch(mode=0o600)
            self._journal: TextIO = (folder / "ledger.jsonl").open("a", encoding="utf-8")

    @property
    def outcomes(self) -> list[Outcome]:
        """Outcomes so far, in the order in which the sources ended."""
        return list(self._outcomes.values())

    def add(self, outcome: Outcome) -> bool:
        """Record an outcome; False if the source had ended before (chunks that failed apart say so twice)."""
        earlier = self._outcomes.get(outcome.video_id)
        if earlier is not None:
            if earlier.status is not outcome.status:
                raise ReconcileError(f"{outcome.uri} ended twice: {earlier.status} and {outcome.status}.")
            return False
        self._outcomes[outcome.video_id] = outcome
        with naming_storage_errors(self._folder):
            self._journal.write(canonical_json(outcome.to_json()) + "\n")
            self._journal.flush()
            os.fsync(self._journal.fileno())
        return True

    def reconcile(self, sources: Iterable[Source]) -> None:
        """Raise unless every source ended exactly once."""
        expected = {source.video_id: source.uri for source in sources}
        missing = [uri for video_id, uri in expected.items() if video_id not in self._outcomes]
        foreign = [o.uri for o in self._outcomes.values() if o.video_id not in expected]
        if missing or foreign:
            raise ReconcileError(
                f"{len(missing)} sources have no outcome and {len(foreign)} outcomes have no source "
                f"(first: {(missing + foreign)[0]}). Run the same command again; what is done is kept."
            )

    def close(self) -> tuple[Path, Root]:
        """Write `ledger.parquet`, a row per source sorted by URI, and its proof; the journal goes."""
        target = self._folder / "ledger.parquet"
        with written_whole(target) as partial, written_whole(self._folder / CHAINS_NAME) as chains:
            for private in (partial, chains):
                private.touch(mode=0o600)
            with chains.open("wb") as file:
                proof = Proof(file, lambda run_id: is_sealed(self._folder.parent, run_id))
                outcomes = sorted(self._outcomes.values(), key=lambda o: o.uri)
                records = [proof.add(_record(o), o.chain) for o in outcomes]
            pq.write_table(pa.Table.from_pylist(records, schema=LEDGER), partial)
        self._journal.close()
        Path(self._journal.name).unlink()
        return target, proof.root()


def _record(outcome: Outcome) -> dict[str, object]:
    record = {name: value for name, value in outcome.to_json().items() if name in LEDGER.names}
    return record | {"status": str(outcome.status), "finished_at": datetime.fromisoformat(outcome.finished_at)}
