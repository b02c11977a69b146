from __future__ import annotations

import sys
from pathlib import Path

import pytest

from anonflow.jobs import status
from anonflow.pipeline.lease import held
from anonflow.pipeline.record import State
from anonflow.types import Status
from tests.pipeline.past import past_run

RUN = "20260102T000000Z-aa"


def shown(
    output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["anonflow status", str(output), *more])
    monkeypatch.setenv("COLUMNS", "120")
    return status.main(), capsys.readouterr().out


def test_a_run_in_a_few_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    past_run(
        tmp_path, RUN, {"/in/secret": Status.QUARANTINED, "/in/b": Status.PUBLISHED, "/in/c": Status.QUARANTINED}
    )
    code, said = shown(tmp_path, monkeypatch, capsys)
    lines = {" ".join(line.split()) for line in said.splitlines()}
    assert code == 3
    assert {
        f"run {RUN}",
        "state finished",
        "sources 3 of 3 ended, 0.30 a second",
        "published 1",
        "quarantined 2 damaged",
        "frames, mask 30 of 90, 3.0 a second",
    } <= lines
    assert "secret" not in said


@pytest.mark.parametrize(
    ("state", "ends", "code"),
    [
        (State.FINISHED, Status.PUBLISHED, 0),
        (State.FINISHED, Status.QUARANTINED, 3),
        (State.INTERRUPTED, Status.PUBLISHED, 1),
        (State.RUNNING, Status.PUBLISHED, 1),
        (State.FAILED, Status.QUARANTINED, 1),
    ],
)
def test_the_exit_code_tells_the_truth(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: State,
    ends: Status,
    code: int,
) -> None:
    past_run(tmp_path, RUN, {"/in/a": ends}, state=state, error="no_space" if state is State.FAILED else "")
    found, said = shown(tmp_path, monkeypatch, capsys)
    assert found == code
    assert {State.RUNNING: "died", State.FAILED: "failed (no_space)"}.get(state, str(state)) in said


def test_watching_ends_with_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    past_run(tmp_path, RUN, {"/in/a": Status.PUBLISHED}, state=State.RUNNING)
    waits = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            past_run(tmp_path, RUN, {"/in/a": Status.PUBLISHED})

    monkeypatch.setattr(status.time, "sleep", wait)
    with held([tmp_path / "_anonflow" / "lease"], RUN, 3600):
        code, said = shown(tmp_path, monkeypatch, capsys, "watch=true", "every_s=7")
    assert (code, waits) == (0, [7.0, 7.0, 7.0]) and "finished" in said


def test_a_folder_without_runs_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(tmp_path, monkeypatch, capsys)[0] == 2
