from __future__ import annotations

import json
import os
import time
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from anonflow.errors import ReconcileError, StorageError
from anonflow.pipeline import ledger as ledger_module
from anonflow.pipeline.journal import Journal
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.rows import Outcome
from anonflow.tables import LEDGER
from anonflow.types import Source, Status


def source(name: Any) -> Any:
    return Source(f"/in/{name}", name, f"id-{name}", 1, 2)


def outcome(name: Any, status: Any = Status.PUBLISHED, **values: Any) -> Any:
    return Outcome(f"/in/{name}", f"id-{name}", status, 1, "fp", **values)


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    return Ledger(tmp_path / "run")


def test_every_outcome_is_on_disk_before_the_next(ledger: Ledger, tmp_path: Path) -> None:
    for n, name in enumerate(["b", "ü\n", "a"], 1):
        assert ledger.add(outcome(name))
        lines = (tmp_path / "run" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == n and json.loads(lines[-1])["uri"] == f"/in/{name}"
    assert [o.uri for o in ledger.by_uri()] == ["/in/a", "/in/b", "/in/ü\n"]
    assert len(ledger) == ledger.tally.statuses["published"] == 3


def test_a_source_that_ends_twice_the_same_way_counts_once(ledger: Ledger) -> None:
    assert ledger.add(outcome("a", Status.QUARANTINED, reason="damaged"))
    assert not ledger.add(outcome("a", Status.QUARANTINED, reason="encode"))
    assert [o.reason for o in ledger.outcomes()] == [o.reason for o in ledger.quarantined] == ["damaged"]
    assert ledger.tally.reasons == {"damaged": 1}


def test_a_source_that_ends_in_two_ways_is_a_contradiction(ledger: Ledger) -> None:
    ledger.add(outcome("a"))
    with pytest.raises(ReconcileError, match="ended twice"):
        ledger.add(outcome("a", Status.UNCHANGED))


@pytest.mark.parametrize("published_first", [True, False])
def test_what_is_published_counts_though_a_chunk_could_not_tell_the_others_of_its_failure(
    ledger: Ledger, published_first: bool
) -> None:
    for status in sorted((Status.PUBLISHED, Status.QUARANTINED), reverse=not published_first):
        ledger.add(outcome("a", status))
    assert [o.status for o in ledger.outcomes()] == [Status.PUBLISHED]
    assert pq.read_table(ledger.write()[0])["status"].to_pylist() == ["published"]


def test_sources_that_nobody_ended_are_known(ledger: Ledger) -> None:
    ledger.add(outcome("a"))
    assert ledger.missing([source("a"), source("b")]) == [source("b")]


def test_sources_and_outcomes_must_match(ledger: Ledger) -> None:
    ledger.add(outcome("a"))
    ledger.reconcile([source("a")])
    with pytest.raises(ReconcileError, match="/in/b"):
        ledger.reconcile([source("a"), source("b")])
    with pytest.raises(ReconcileError, match="1 outcomes have no source"):
        ledger.reconcile([])


def test_a_version_of_a_source_is_not_another(ledger: Ledger) -> None:
    ledger.add(outcome("a"))
    with pytest.raises(ReconcileError):
        ledger.reconcile([replace(source("a"), video_id="other")])


def test_the_table_holds_a_row_per_source_by_uri(ledger: Ledger, tmp_path: Path) -> None:
    ledger.add(
        outcome("b", frames=7, duration_s=0.5, output_uri="/out/b", finished_at="2024-05-06T07:08:09.123+00:00")
    )
    ledger.add(outcome("a", Status.QUARANTINED, reason="damaged", message="/in/a: cut off"))
    path, _ = ledger.write()
    ledger.end()
    table = pq.read_table(path)
    assert table.schema.equals(LEDGER)
    first, second = table.to_pylist()
    assert (first["uri"], first["status"], first["reason"]) == ("/in/a", "quarantined", "damaged")
    assert (second["frames"], second["duration_s"], second["output_uri"]) == (7, 0.5, "/out/b")
    assert second["finished_at"] == datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["chains.jsonl", "ledger.parquet"]


def test_an_empty_ledger_has_its_columns(ledger: Ledger) -> None:
    assert pq.read_table(ledger.write()[0]).schema.equals(LEDGER)


def test_a_ledger_that_cannot_be_written_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        Ledger(tmp_path / "file")


def test_outcomes_are_not_held(tmp_path: Path) -> None:
    """A hundred thousand times a kilobyte and more would be; an id and a number are."""

    def held_bytes(n: int) -> int:
        ledger = Ledger(tmp_path / str(n))
        tracemalloc.start()
        for number in range(n):
            ledger.add(outcome(f"{number}", details={"note": "x" * 3000}))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return held

    assert held_bytes(2000) - held_bytes(1000) < 1000 * 1000


def test_what_an_outcome_costs_does_not_depend_on_how_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of making it durable, and of reading it back."""
    reads, synced = [], []
    monkeypatch.setattr(Journal, "at", lambda self, place, at=Journal.at: reads.append(place) or at(self, place))
    monkeypatch.setattr(os, "fsync", synced.append)
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    ledger = Ledger(tmp_path / "run")
    for number in range(300):
        ledger.add(outcome(f"{number}"))
    assert reads == synced == []
    ledger.reconcile([source(f"{number}") for number in range(300)])
    assert len(list(ledger.outcomes())) == len(reads) == 300
    ledger.write()
    ledger.end()
    assert len(reads) == 300 * 2


def test_a_table_of_several_row_groups_is_in_one_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "_ROWS_A_GROUP", 4)
    ledger = Ledger(tmp_path / "run")
    names = [f"{number * 7 % 10}" for number in range(10)]
    for name in names:
        ledger.add(outcome(name))
    path, _ = ledger.write()
    assert pq.ParquetFile(path).num_row_groups == 3
    assert [row["uri"] for row in pq.read_table(path).to_pylist()] == [f"/in/{name}" for name in sorted(names)]
