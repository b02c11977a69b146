from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonflow.errors import DamagedVideoError, NoSpaceError
from anonflow.observe.course import Course
from anonflow.pipeline.finish import Summary, finish
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.prepare import list_wanted
from anonflow.pipeline.rows import Outcome
from anonflow.types import Status
from tests.pipeline.worlds import World


def finished(world: World, status: Status) -> tuple[Summary, Path]:
    """The summary and the work folder of a run over one clip."""
    world.clip("anna.mp4")
    paths = world.context().paths
    listing = list_wanted(world.config, paths, None)
    (source,) = listing.sources
    outcome = Outcome.quarantined(source, "fp", DamagedVideoError("cut short"))
    if status is Status.UNCHANGED:
        outcome = Outcome(source.uri, source.video_id, status, 1, "fp", relative_path=source.relative_path)
    ledger = Ledger(paths.run)
    ledger.add(outcome)
    ledger.reconcile(listing.sources)
    assert isinstance(paths.work, Path)
    (paths.work / "tracks").mkdir(parents=True)
    (paths.work / "tracks" / "x.npz").touch()
    return finish(world.config, paths, listing, ledger, Course(), 1.0, None), paths.work


@pytest.mark.parametrize("status", [Status.QUARANTINED, Status.UNCHANGED])
def test_ledger_report_page_and_seal_are_there_and_agree(world: World, status: Status) -> None:
    summary, _ = finished(world, status)
    assert isinstance(summary.report, Path)
    run = summary.report.parent
    names = {path.name for path in run.iterdir()}
    assert {"ledger.parquet", "report.json", "report.html", "root.json", "chains.jsonl"} <= names
    report, root = (json.loads((run / name).read_text()) for name in ("report.json", "root.json"))
    assert report["evidence"]["ledger_root"] == root["ledger_root"]
    assert report["totals"][str(status)] == 1
    for name in ("report.json", "report.html"):
        assert "anna" not in (run / name).read_text()
    assert "ledger.jsonl" not in names, "the journal has served its purpose"


def test_a_page_that_does_not_fit_is_told_and_fails_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise NoSpaceError(f"No space left to write {path}")

    monkeypatch.setattr("anonflow.pipeline.finish.write_bytes", full)
    summary, work = finished(world, Status.UNCHANGED)
    assert summary.page is None and "No space left" in caplog.text
    assert isinstance(summary.report, Path) and summary.report.exists()
    assert (summary.report.parent / "root.json").exists() and not work.exists()


def test_work_is_kept_for_those_in_quarantine_only(world: World) -> None:
    summary, work = finished(world, Status.QUARANTINED)
    assert (work / "tracks" / "x.npz").exists() and summary.quarantined[0].reason == "damaged"


def test_work_goes_when_all_is_well(world: World) -> None:
    _, work = finished(world, Status.UNCHANGED)
    assert not work.exists()
