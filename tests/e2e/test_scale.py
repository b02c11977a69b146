"""What the driver does for a source does not depend on how many there are.

Counted are calls, which no load of the machine changes; the stages and Ray are stood in for. tests/benchmark has
the real graph and a hundred thousand sources.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from anonflow.errors import ReconcileError
from anonflow.pipeline import graph, run
from anonflow.pipeline.monitor import Monitor
from anonflow.pipeline.rows import Outcome, Row
from anonflow.types import Status
from tests.benchmark.simulation import Work, make_files, simulate, simulated_config


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows go in, outcomes come out."""

    def build(first: Sequence[Row], *_: Any, **__: Any) -> Sequence[Row]:
        return first

    def outcomes(first: Sequence[Row]) -> Iterator[Outcome]:
        for number, row in enumerate(first):
            status, reason = (Status.QUARANTINED, "damaged") if number % 10 == 9 else (Status.PUBLISHED, "")
            yield Outcome(row.uri, row.video_id, status, 1, "fp", reason, frames=5, details={"note": ["x" * 500]})

    monkeypatch.setattr(run, "connected", lambda _: contextlib.nullcontext())
    monkeypatch.setattr(run, "stage_resources", lambda *_, **__: None)
    monkeypatch.setattr(run, "check_models", lambda *_: None)
    monitor = SimpleNamespace(read=dict, signs=lambda: None, listed=lambda _: None, ended=lambda _: None)
    monkeypatch.setattr(Monitor, "start", lambda: monitor)
    monkeypatch.setattr(graph, "build", build)
    monkeypatch.setattr(graph, "outcomes", outcomes)


def driven(root: Path, n: int) -> run.Summary:
    root.mkdir()
    make_files(root / "in", n)
    return run.anonymize(simulated_config(root), Console(file=io.StringIO()))


def calls(root: Path, n: int) -> int:
    """Calls of functions, Python's and C's, that a run of `n` sources makes in the driver's thread."""
    counted: Counter[str] = Counter()

    def count(_: Any, event: str, __: Any) -> None:
        counted[event] += 1

    root.mkdir()
    make_files(root / "in", n)
    config, console = simulated_config(root), Console(file=io.StringIO())
    sys.setprofile(count)
    try:
        run.anonymize(config, console)
    finally:
        sys.setprofile(None)
    return counted["call"] + counted["c_call"]


def test_a_source_costs_the_same_in_an_archive_of_any_size(tmp_path: Path) -> None:
    calls(tmp_path / "warm", 10)
    small, middle, large = (calls(tmp_path / str(n), n) for n in (50, 200, 600))
    assert (large - middle) / 400 < 1.1 * (middle - small) / 150


def test_the_simulation_measures_a_run(tmp_path: Path) -> None:
    """With Ray it takes minutes, so nothing else runs it here."""
    measured, summary = simulate(tmp_path, 50, Work())
    assert summary.totals.published == 45
    assert 0 < measured.listed_s <= measured.rows_s <= measured.first_s <= measured.last_s <= measured.total_s


def test_every_source_is_in_the_sums_and_in_the_table(tmp_path: Path) -> None:
    summary = driven(tmp_path / "run", 1234)
    assert (summary.totals.published, summary.totals.quarantined, summary.totals.frames) == (1111, 123, 1111 * 5)
    assert len(summary.quarantined) == 20
    table = pq.read_table(summary.ledger)
    uris = table["uri"].to_pylist()
    assert len(set(uris)) == 1234 and uris == sorted(uris)
    report = json.loads(summary.report.read_text())
    assert len(report["videos"]) == 1234
    record = json.loads((summary.ledger.parent / "run.json").read_text())
    assert record["state"] == "finished" and record["counts"]["statuses"] == {"published": 1111, "quarantined": 123}
    assert record["counts"]["reasons"] == {"damaged": 123} and record["counts"]["sources"] == 1234


def test_memory_grows_by_names_only(tmp_path: Path) -> None:
    """An outcome is well over a kilobyte; what is kept of a source is its name, twice, and numbers."""

    def peak_bytes(n: int) -> int:
        tracemalloc.start()
        driven(tmp_path / str(n), n)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak_bytes(10)
    assert (peak_bytes(1200) - peak_bytes(400)) / 800 < 4000


def test_a_source_that_is_lost_on_the_way_is_quarantined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complete = graph.outcomes
    monkeypatch.setattr(graph, "outcomes", lambda rows: iter(list(complete(rows))[:-1]))
    driven(tmp_path / "run", 20)
    (record,) = tmp_path.glob("run/out/_anonflow/*/run.json")
    assert json.loads(record.read_text())["counts"]["reasons"]["work_lost"] == 1


def test_sums_that_do_not_match_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last check, should even the search for lost sources miss one."""
    complete = graph.outcomes
    monkeypatch.setattr(graph, "outcomes", lambda rows: iter(list(complete(rows))[:-1]))
    monkeypatch.setattr(run, "_quarantine_lost", lambda *_: None)
    with pytest.raises(ReconcileError, match="1 sources have no outcome"):
        driven(tmp_path / "run", 20)
    (record,) = tmp_path.glob("run/out/_anonflow/*/run.json")
    assert json.loads(record.read_text())["state"] == "failed"
    assert not list(tmp_path.glob("run/out/_anonflow/*/ledger.parquet"))
