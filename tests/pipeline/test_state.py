from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import ConfigError
from anonflow.pipeline.lease import held
from anonflow.pipeline.record import Record, State, recorded
from anonflow.pipeline.state import Standing, last_run
from anonflow.types import Status
from tests.pipeline.past import past_run

ENDS = {"/in/a": Status.PUBLISHED, "/in/b": Status.QUARANTINED}


@pytest.mark.parametrize("state", [State.FINISHED, State.INTERRUPTED, State.FAILED])
def test_a_run_that_said_how_it_ended_is_believed(tmp_path: Path, state: State) -> None:
    past_run(tmp_path, "20260101T000000Z-aa", {})
    past_run(tmp_path, "20260102T000000Z-aa", ENDS, state=state)
    view = last_run(tmp_path, 30)
    assert view.record.run_id == "20260102T000000Z-aa" and view.standing == Standing(state)
    assert (view.quarantined, view.sources_a_second, view.frames_a_second("mask")) == (1, 0.2, 3.0)
    assert view.age_s > 0


def test_a_run_that_was_killed_has_died_whatever_it_said(tmp_path: Path) -> None:
    past_run(tmp_path, "20260102T000000Z-aa", ENDS, state=State.RUNNING)
    assert last_run(tmp_path, 30).standing is Standing.DIED
    with held([tmp_path / "_anonflow" / "lease"], "20260103T000000Z-aa", 30):
        assert last_run(tmp_path, 30).standing is Standing.DIED, "another one holds the folder"


def test_a_run_that_holds_its_lease_runs(tmp_path: Path) -> None:
    run_id = "20260102T000000Z-aa"
    folder = tmp_path / "_anonflow" / run_id
    with held([tmp_path / "_anonflow" / "lease"], run_id, 30), recorded(folder, run_id, {"input": "/in"}):
        assert last_run(tmp_path, 30).standing is Standing.RUNNING


def test_a_run_that_ends_while_somebody_looks_has_not_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = "20260102T000000Z-aa"
    folder = past_run(tmp_path, run_id, ENDS, state=State.RUNNING)
    running = Record.read(folder)
    past_run(tmp_path, run_id, ENDS, state=State.FINISHED)
    monkeypatch.setattr("anonflow.pipeline.state.records", lambda _: iter([running]))
    assert last_run(tmp_path, 30).standing is Standing.FINISHED


def test_a_folder_without_runs_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no run has been here"):
        last_run(tmp_path, 30)
