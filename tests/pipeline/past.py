"""Runs that have been: what they leave in an output folder, without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.process import Process
from anonflow.pipeline.record import Counts, Record, RecordFile, State
from anonflow.pipeline.rows import Outcome
from anonflow.types import Status
from tests.pipeline.worlds import configuration

GONE = replace(Process.own(), started_ticks=Process.own().started_ticks - 1)


def past_run(
    output: Path,
    run_id: str,
    statuses: Mapping[str, Status],
    *,
    state: State = State.FINISHED,
    given: str = "/in",
    **values: Any,
) -> Path:
    """A run that brought sources (by URI) to their ends; its folder."""
    folder = output / "_anonflow" / run_id
    ledger = Ledger(folder)
    for uri, status in statuses.items():
        reason = "damaged" if status is Status.QUARANTINED else ""
        ledger.add(Outcome(uri, f"id-{uri}", status, 1, "fp", reason=reason))
    if state is State.FINISHED:
        ledger.write()
        ledger.end()
    config = asdict(replace(configuration("detector=faces"), input=given, output=str(output)))
    tally = ledger.tally
    counts = Counts(
        len(statuses), dict(tally.statuses), dict(tally.reasons), {"planned": 90, "detect": 60, "mask": 30}
    )
    now = "2026-03-04T05:06:07+00:00"
    RecordFile(folder, Record(run_id, state, GONE, now, now, config, counts, elapsed_s=10.0, **values))
    return folder
