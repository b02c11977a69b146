"""Which sources are in quarantine, by the last run that touched each, and with what configuration that was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from anonflow.pipeline.journal import read_journal
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.pipeline.record import Record, State, records
from anonflow.storage import StoragePath
from anonflow.types import Status

_LEDGER = "ledger.parquet"


@dataclass(frozen=True)
class Quarantine:
    """What a run quarantined and no later one took up."""

    run_id: str
    configuration: dict[str, Any]
    uris: frozenset[str]


def quarantines(output: StoragePath) -> list[Quarantine]:
    """Those of an output folder, the latest run's first."""
    seen: set[str] = set()
    covered: set[str] = set()
    found = []
    for record in records(output):
        if record.configuration["input"] in covered:
            continue  # a later run went through all of it
        folder, uris = output / CONTROL_FOLDER / record.run_id, set()
        for uri, status in _endings(folder):
            if uri not in seen and status == Status.QUARANTINED:
                uris.add(uri)
            seen.add(uri)
        if uris:
            found.append(Quarantine(record.run_id, record.configuration, frozenset(uris)))
        if _is_whole(record):
            covered.add(record.configuration["input"])
    return found


def _is_whole(record: Record) -> bool:
    return record.state is State.FINISHED and not record.is_retry


def _endings(folder: StoragePath) -> Iterator[tuple[str, str]]:
    """URI and status of a run's sources, from its ledger, or its journal if it died."""
    ledger = folder / _LEDGER
    if not ledger.exists():
        yield from ((line["uri"], line["status"]) for line in read_journal(folder))
        return
    with ledger.open("rb") as file:
        for batch in pq.ParquetFile(file).iter_batches(columns=["uri", "status"]):
            yield from zip(batch["uri"].to_pylist(), batch["status"].to_pylist(), strict=True)
