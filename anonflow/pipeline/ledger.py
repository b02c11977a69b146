"""The durable record of a run: a line per source as it ends, at the end one Parquet table, proved whole.

Outcomes are not held: what stays in memory of a source is its id, its status, and where its line is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from anonflow.errors import ReconcileError
from anonflow.observe.statistics import RunStatistics
from anonflow.pipeline.journal import Journal
from anonflow.pipeline.proof import CHAINS_NAME, Proof, Root
from anonflow.pipeline.report import Tally
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.seal import is_sealed
from anonflow.storage import StoragePath, make_private_folder, written_whole
from anonflow.tables import LEDGER
from anonflow.types import Source, Status

_ROWS_A_GROUP = 8192
_SHOWN_QUARANTINED = 20
_COLUMNS = frozenset(LEDGER.names)


class Ledger:
    """Collects the outcomes of a run."""

    def __init__(self, folder: StoragePath) -> None:
        """Open the journal in `folder`."""
        self._folder = folder
        self._ends: dict[str, int] = {}
        """By video id: where its line is in the journal."""
        self._by_uri: list[str] | None = None
        self.tally, self.statistics = Tally(), RunStatistics()
        self.quarantined: list[Outcome] = []
        """The first few."""
        make_private_folder(folder)
        self._journal = Journal(folder)

    def __len__(self) -> int:
        """Number of sources that have ended."""
        return len(self._ends)

    def add(self, outcome: Outcome) -> bool:
        """Record an outcome; False if the source had ended before (chunks that failed apart say so twice).

        Where the work folder could not be written to, a chunk may end in quarantine what another then publishes.
        What is published was checked whole, and is there: it counts.
        """
        if outcome.video_id in self._ends:
            earlier = self._outcome(outcome.video_id)
            if outcome.status in (earlier.status, Status.QUARANTINED):
                return False
            if earlier.status is not Status.QUARANTINED:
                raise ReconcileError(f"{outcome.uri} ended twice: {earlier.status} and {outcome.status}.")
            self.tally.take_back(earlier)
            self.statistics.take_back(earlier)
            self.quarantined = [one for one in self.quarantined if one.video_id != outcome.video_id]
        place = self._journal.append(outcome.to_json())
        self._ends[outcome.video_id] = place
        self.tally.add(outcome)
        self.statistics.add(outcome)
        if outcome.status is Status.QUARANTINED and len(self.quarantined) < _SHOWN_QUARANTINED:
            self.quarantined.append(outcome)
        return True

    def flush(self) -> None:
        """Have others see what has been recorded."""
        self._journal.flush()

    def missing(self, sources: Iterable[Source]) -> list[Source]:
        """The sources that have not ended."""
        return [source for source in sources if source.video_id not in self._ends]

    def reconcile(self, sources: Iterable[Source]) -> None:
        """Raise unless every source ended exactly once."""
        missing, n_missing, expected = "", 0, set()
        in_order = sorted(sources, key=lambda source: source.uri)
        for source in in_order:
            expected.add(source.video_id)
            if source.video_id not in self._ends:
                missing, n_missing = missing or source.uri, n_missing + 1
        foreign = [video_id for video_id in self._ends if video_id not in expected]
        if missing or foreign:
            first = missing or self._outcome(foreign[0]).uri
            raise ReconcileError(
                f"{n_missing} sources have no outcome and {len(foreign)} outcomes have no source "
                f"(first: {first}). Run the same command again; what is done is kept."
            )
        self._by_uri = [source.video_id for source in in_order]

    def outcomes(self) -> Iterator[Outcome]:
        """All outcomes, read one by one, by video id."""
        return (self._outcome(video_id) for video_id in sorted(self._ends))

    def by_uri(self) -> Iterator[Outcome]:
        """All outcomes, read one by one, by URI."""
        return (self._outcome(video_id) for video_id in self._ids_by_uri())

    def write(self) -> tuple[StoragePath, Root]:
        """Write `ledger.parquet`, a row per source sorted by URI, and its proof."""
        target = self._folder / "ledger.parquet"
        with written_whole(target) as partial, written_whole(self._folder / CHAINS_NAME) as chains:
            for private in (partial, chains):
                private.touch(mode=0o600)
            with chains.open("wb") as file, pq.ParquetWriter(partial, LEDGER) as table:
                proof = Proof(file, lambda run_id: is_sealed(self._folder.parent, run_id))
                lines = (self._line(video_id) for video_id in self._ids_by_uri())
                while records := [proof.add(_record(line), line["chain"]) for line in islice(lines, _ROWS_A_GROUP)]:
                    table.write_table(pa.Table.from_pylist(records, schema=LEDGER))
        return target, proof.root()

    def end(self) -> None:
        """Remove the journal, once all that is made of it is written."""
        self._journal.remove()

    def _ids_by_uri(self) -> list[str]:
        if self._by_uri is None:
            return sorted(self._ends, key=lambda video_id: str(self._line(video_id)["uri"]))
        return self._by_uri

    def _outcome(self, video_id: str) -> Outcome:
        return Outcome.from_json(self._line(video_id))

    def _line(self, video_id: str) -> dict[str, Any]:
        line: dict[str, Any] = self._journal.at(self._ends[video_id])
        return line


def _record(line: dict[str, Any]) -> dict[str, object]:
    record = {name: value for name, value in line.items() if name in _COLUMNS}
    return record | {"finished_at": datetime.fromisoformat(line["finished_at"])}
