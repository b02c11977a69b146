from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from anonflow.errors import NoSpaceError
from anonflow.pipeline import record as module
from anonflow.pipeline.record import Counts, Record, State, recorded, records
from tests.pipeline.worlds import configuration

CONFIGURATION = {"input": "/in", "output": "/out"}


def read(folder: Path) -> Record:
    record = Record.read(folder)
    assert record is not None
    return record


def test_a_run_says_that_it_runs_and_how_it_ended(tmp_path: Path) -> None:
    with recorded(tmp_path, "run1", CONFIGURATION) as file:
        begun = read(tmp_path)
        assert begun.state is State.RUNNING and begun.counts == Counts() and begun.configuration == CONFIGURATION
        counts = Counts(5, {"published": 2, "quarantined": 1}, {"damaged": 1}, {"planned": 99})
        file.update(counts=counts, elapsed_s=1.5)
        assert read(tmp_path).counts == counts and counts.ended == 3
    assert read(tmp_path).state is State.FINISHED and read(tmp_path).counts == counts


@pytest.mark.parametrize(
    ("error", "state", "word"),
    [
        (KeyboardInterrupt(), State.INTERRUPTED, "KeyboardInterrupt"),
        (NoSpaceError("/secret/path is full"), State.FAILED, "no_space"),
        (ValueError("/secret/path"), State.FAILED, "ValueError"),
    ],
)
def test_a_run_that_breaks_off_says_by_what(tmp_path: Path, error: BaseException, state: State, word: str) -> None:
    with pytest.raises(type(error)), recorded(tmp_path, "run1", CONFIGURATION):
        raise error
    assert (read(tmp_path).state, read(tmp_path).error) == (state, word)
    assert "secret" not in (tmp_path / "run.json").read_text()


def test_only_its_owner_can_read_it_at_any_time(tmp_path: Path) -> None:
    with recorded(tmp_path, "run1", CONFIGURATION):
        assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600


def test_a_record_that_cannot_be_written_does_not_hide_why_the_run_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NoSpaceError("full")

    with pytest.raises(ValueError, match="the cause") as failed, recorded(tmp_path, "run1", CONFIGURATION):
        monkeypatch.setattr(module, "write_private_json", full)
        raise ValueError("the cause")
    assert failed.value.__notes__ and "full" in failed.value.__notes__[0]


def test_the_whole_configuration_goes_there_and_back(tmp_path: Path) -> None:
    config = asdict(configuration("mask=pixelate", "chunk.length_s=3"))
    with recorded(tmp_path, "run1", config):
        pass
    assert read(tmp_path).configuration == json.loads(json.dumps(config))


def test_the_runs_of_an_output_come_latest_first(tmp_path: Path) -> None:
    assert list(records(tmp_path)) == []
    control = tmp_path / "_anonflow"
    for run_id in ("20260102T000000Z-aa", "20260103T000000Z-aa", "20260101T000000Z-ff"):
        (control / run_id).mkdir(parents=True)
        with recorded(control / run_id, run_id, CONFIGURATION):
            pass
    (control / "done").mkdir()
    (control / "20260104T000000Z-old").mkdir()
    (control / "20260105T000000Z-bad").mkdir()
    (control / "20260105T000000Z-bad" / "run.json").write_text("{}")
    assert [record.run_id[:8] for record in records(tmp_path)] == ["20260103", "20260102", "20260101"]


def test_of_two_runs_the_one_with_the_later_lease_is_later_whatever_the_clock_said(tmp_path: Path) -> None:
    """Runs may begin in the same second, or a clock be set back between them."""
    control = tmp_path / "_anonflow"
    for number, run_id in enumerate(("20260102T000000Z-ff", "20260102T000000Z-aa", "20250101T000000Z-bb"), 1):
        (control / run_id).mkdir(parents=True)
        with recorded(control / run_id, run_id, CONFIGURATION, number=number):
            pass
    assert [record.run_id[-2:] for record in records(tmp_path)] == ["bb", "aa", "ff"]
