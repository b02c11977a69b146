"""A life of an output folder: run, quarantine, status, retry, interruption, clean. All but Ray is real."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from anonflow.claims import create_exclusive
from anonflow.errors import LeaseLostError, ModelHashError
from anonflow.jobs import clean, retry, status
from anonflow.pipeline import graph, run
from anonflow.pipeline.context import RunContext, SilentProgress
from anonflow.pipeline.lease import Holder
from anonflow.pipeline.monitor import Monitor
from anonflow.pipeline.outcomes import quarantine
from anonflow.pipeline.process import Process
from anonflow.pipeline.rows import Outcome, Row
from tests.media import make_clip
from tests.pipeline.worlds import FixedDetector, World, published_files, run_all, tracked, use_detector
from tests.runs import files_below


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stages, one source after the other, in this process."""

    def build(first: Sequence[Row], context: RunContext, _: Any) -> Any:
        return first, replace(context, progress=SilentProgress())

    def outcomes(dataset: Any) -> Iterator[Outcome]:
        rows, context = dataset
        for row in rows:
            yield from run_all([row], context)

    monkeypatch.setattr(run, "connected", lambda _: contextlib.nullcontext())
    monkeypatch.setattr(run, "stage_resources", lambda *_, **__: None)
    quiet = dict.fromkeys(("listed", "ended"), lambda _: None)
    monitor = SimpleNamespace(read=lambda: {"planned": 40, "mask": 40}, signs=lambda: None, **quiet)
    monkeypatch.setattr(Monitor, "start", lambda: monitor)
    monkeypatch.setattr(graph, "build", build)
    monkeypatch.setattr(graph, "outcomes", outcomes)


@pytest.fixture
def world(tmp_path: Path, detector: FixedDetector) -> World:
    world = World.make(tmp_path)
    world.clip("good.mp4")
    (tmp_path / "in" / "bad.mp4").write_bytes(b"not yet copied")
    return world


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> FixedDetector:
    return use_detector(monkeypatch, FixedDetector())


def anonymized(world: World) -> run.Summary:
    return run.anonymize(world.config, Console(file=io.StringIO()))


def command(job: Any, output: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setattr(sys, "argv", ["anonflow", str(output), *more])
    return int(job.main())


def statuses(summary: run.Summary) -> dict[str, str]:
    rows = pq.read_table(summary.ledger).to_pylist()
    return {row["relative_path"]: row["status"] for row in rows}


def runs(output: Path) -> list[Path]:
    return sorted(output.glob("_anonflow/*/ledger.parquet"))


def test_quarantine_is_mended_and_taken_up_again_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch, detector: FixedDetector
) -> None:
    assert statuses(anonymized(world)) == {"good.mp4": "published", "bad.mp4": "quarantined"}
    assert command(status, world.output, monkeypatch) == 3
    published, calls = (world.output / "good.mp4").stat().st_mtime_ns, detector.calls
    assert command(retry, world.output, monkeypatch) == 3, "it is still no video"
    make_clip(world.root / "in" / "bad.mp4")
    assert command(retry, world.output, monkeypatch) == 0
    assert command(status, world.output, monkeypatch) == 0
    assert command(retry, world.output, monkeypatch) == 0 and len(runs(world.output)) == 3, "nothing is left to do"
    assert published_files(world.output) == ["bad.mp4", "good.mp4"]
    assert (world.output / "good.mp4").stat().st_mtime_ns == published
    assert detector.calls == 2 * calls
    assert set(statuses(anonymized(world)).values()) == {"unchanged"}


def test_retry_works_from_any_folder(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    run.anonymize(replace(world.config, input="in", output="out"), Console(file=io.StringIO()))
    make_clip(world.root / "in" / "bad.mp4")
    monkeypatch.chdir("/")
    assert command(retry, world.output, monkeypatch) == 0
    assert published_files(world.output) == ["bad.mp4", "good.mp4"]


def test_without_news_ray_is_not_started(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.root / "in" / "bad.mp4").unlink()
    first = anonymized(world)
    monkeypatch.setattr(run, "connected", None)
    again = anonymized(world)
    assert statuses(first) == {"good.mp4": "published"} and statuses(again) == {"good.mp4": "unchanged"}
    assert "work" not in {path.name for path in (world.output / "_anonflow").iterdir()}


def test_an_interrupted_run_says_so_and_its_work_waits_until_it_is_cleaned(
    world: World, monkeypatch: pytest.MonkeyPatch, detector: FixedDetector
) -> None:
    def interrupted(dataset: Any) -> Iterator[Outcome]:
        rows, context = dataset
        yield from (Outcome.from_json(json.loads(quarantined(row, context).outcome)) for row in rows[:1])
        tracked(rows[1], context)
        raise KeyboardInterrupt

    def quarantined(row: Row, context: RunContext) -> Row:
        return quarantine(row, "plan", ModelHashError("wrong"), context)

    with monkeypatch.context() as patched:
        patched.setattr(graph, "outcomes", interrupted)
        with pytest.raises(KeyboardInterrupt):
            anonymized(world)
    assert command(status, world.output, monkeypatch) == 1
    work = [name for name in files_below(world.output) if "/work/tracks/" in name]
    assert work and not runs(world.output) and list(world.output.glob("_anonflow/*/ledger.jsonl"))
    calls = detector.calls
    assert statuses(anonymized(world))["good.mp4"] == "published"
    assert detector.calls == calls, "finished chunks were reused"
    assert command(clean, world.output, monkeypatch) == 0
    assert not (world.output / "_anonflow" / "work").exists() and published_files(world.output) == ["good.mp4"]
    assert statuses(anonymized(world))["good.mp4"] == "unchanged"


def test_a_run_that_lost_its_lease_stops_and_publishes_no_ledger(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, its_own = graph.outcomes, world.output / "_anonflow" / "partial" / "of_the_other.mp4"

    def taken_over(dataset: Any) -> Iterator[Outcome]:
        other = Holder("other", Process("elsewhere", 1, "boot pid:[1]", 1), "2026-01-01T00:00:00+00:00")
        for outcome in real(dataset):
            create_exclusive(world.output / "_anonflow" / "lease" / "000099.json", other.to_bytes())
            its_own.parent.mkdir(exist_ok=True)
            its_own.touch()
            yield outcome
            time.sleep(60)

    monkeypatch.setattr(graph, "outcomes", taken_over)
    config = replace(world.config, runtime=replace(world.config.runtime, lease_s=1.0))
    with pytest.raises(LeaseLostError):
        run.anonymize(config, Console(file=io.StringIO()))
    assert not runs(world.output) and its_own.exists()
    (record,) = world.output.glob("_anonflow/*/run.json")
    assert json.loads(record.read_text())["error"] == "lease_lost"
