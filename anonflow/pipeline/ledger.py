"""The durable record of a run: a line per source as it ends, at the end one Parquet table, proved whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.errors import ReconcileError, StorageUnavailableError
from anonflow.pipeline.journal import open_journal
from anonflow.pipeline.rows import Outcome
from anonflow.storage import StoragePath, canonical_json, naming_storage_errors, written_whole
from anonflow.tables import LEDGER
from anonflow.types import Source, Status


class Ledger:
    """Collects the outcomes of a run; each is on disk before the next is taken."""

    def __init__(self, folder: StoragePath) -> None:
        """Open `ledger.jsonl` in `folder`."""
        self._folder = folder
        self._outcomes: dict[str, Outcome] = {}
        with naming_storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._journal = open_journal(folder / "ledger.jsonl")

    @property
    def outcomes(self) -> list[Outcome]:
        """Outcomes so far, in the order in which the sources ended."""
        return list(self._outcomes.values())

    def add(self, outcome: Outcome) -> bool:
        """Record an outcome; False if the source had ended before (chunks that failed apart say so twice)."""
        earlier = self._outcomes.get(outcome.video_id)
        if earlier is not None:
            if earlier.status is outcome.status or _is_lost_sight_of(outcome, earlier):
                return False
            if not _is_lost_sight_of(earlier, outcome):
                raise ReconcileError(f"{outcome.uri} ended twice: {earlier.status} and {outcome.status}.")
        self._outcomes[outcome.video_id] = outcome
        with naming_storage_errors(self._folder):
            self._journal.add(canonical_json(outcome.to_json()))
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

    def close(self) -> StoragePath:
        """Write `ledger.parquet`, a row per source sorted by URI; the journal has served its purpose."""
        target = self._folder / "ledger.parquet"
        records = [_record(o) for o in sorted(self._outcomes.values(), key=lambda o: o.uri)]
        with written_whole(target) as partial:
            pq.write_table(pa.Table.from_pylist(records, schema=LEDGER), partial)
        self._journal.remove()
        return target


def _is_lost_sight_of(outcome: Outcome, other: Outcome) -> bool:
    """Whether `outcome` only says that a chunk met no storage, which came back for another that published."""
    return outcome.reason == StorageUnavailableError.reason and other.status is Status.PUBLISHED


def _record(outcome: Outcome) -> dict[str, object]:
    record = {name: value for name, value in outcome.to_json().items() if name in LEDGER.names}
    return record | {"status": str(outcome.status), "finished_at": datetime.fromisoformat(outcome.finished_at)}
