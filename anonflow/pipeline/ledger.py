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
from anonflow.pipeline.rows import Outcome
from anonflow.storage import canonical_json, naming_storage_errors, written_whole
from anonflow.tables import LEDGER
from anonflow.types import Source, Status


class Ledger:
    """Collects the outcomes of a run; each is on disk before the next is taken."""

    def __init__(self, folder: Path) -> None:
        """Open `ledger.jsonl` in `folder`."""
        self._folder = folder
        self._outcomes: dict[str, Outcome] = {}
        with naming_storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._journal: TextIO = (folder / "ledger.jsonl").open("a", encoding="utf-8")

    @property
    def outcomes(self) -> list[Outcome]:
        """Outcomes so far, in the order in which the sources ended."""
        return list(self._outcomes.values())

    def add(self, outcome: Outcome) -> bool:
        """Record an outcome; False if the source had ended before (chunks that failed apart say so twice).

        Where the work folder could not be written to, a chunk may end in quarantine what another then publishes.
        What is published was checked whole, and is there: it counts.
        """
        earlier = self._outcomes.get(outcome.video_id)
        if earlier is not None and (earlier.status is outcome.status or outcome.status is Status.QUARANTINED):
            return False
        if earlier is not None and earlier.status is not Status.QUARANTINED:
            raise ReconcileError(f"{outcome.uri} ended twice: {earlier.status} and {outcome.status}.")
        self._outcomes[outcome.video_id] = outcome
        with naming_storage_errors(self._folder):
            self._journal.write(canonical_json(outcome.to_json()) + "\n")
            self._journal.flush()
            os.fsync(self._journal.fileno())
        return True

    def missing(self, sources: Iterable[Source]) -> list[Source]:
        """The sources that have not ended."""
        return [source for source in sources if source.video_id not in self._outcomes]

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

    def close(self) -> Path:
        """Write `ledger.parquet`, a row per source sorted by URI; the journal has served its purpose."""
        target = self._folder / "ledger.parquet"
        records = [_record(o) for o in sorted(self._outcomes.values(), key=lambda o: o.uri)]
        with written_whole(target) as partial:
            pq.write_table(pa.Table.from_pylist(records, schema=LEDGER), partial)
        self._journal.close()
        Path(self._journal.name).unlink()
        return target


def _record(outcome: Outcome) -> dict[str, object]:
    record = {name: value for name, value in outcome.to_json().items() if name in LEDGER.names}
    return record | {"status": str(outcome.status), "finished_at": datetime.fromisoformat(outcome.finished_at)}
