from __future__ import annotations

from pathlib import Path

from anonflow.pipeline.again import quarantines
from anonflow.pipeline.record import State
from anonflow.types import Status
from tests.pipeline.past import past_run

GOOD, SAME, BAD = Status.PUBLISHED, Status.UNCHANGED, Status.QUARANTINED


def found(output: Path) -> dict[str, set[str]]:
    """URIs by day of the run."""
    return {quarantine.run_id[6:8]: set(quarantine.uris) for quarantine in quarantines(output)}


def day(number: int) -> str:
    return f"202601{number:02d}T000000Z-aa"


def test_the_last_run_that_touched_a_source_counts(tmp_path: Path) -> None:
    past_run(tmp_path, day(1), {"/in/a": BAD, "/in/b": BAD, "/in/c": GOOD, "/other/x": BAD}, given="/first")
    past_run(tmp_path, day(2), {"/in/a": BAD, "/in/b": GOOD, "/in/c": SAME, "/in/d": BAD})
    assert found(tmp_path) == {"02": {"/in/a", "/in/d"}, "01": {"/other/x"}}


def test_what_a_retry_mended_is_left_alone_and_the_rest_is_not_forgotten(tmp_path: Path) -> None:
    past_run(tmp_path, day(1), {"/in/a": BAD, "/in/b": BAD, "/in/c": BAD, "/in/d": GOOD})
    past_run(tmp_path, day(2), {"/in/a": GOOD, "/in/b": BAD}, is_retry=True)
    assert found(tmp_path) == {"02": {"/in/b"}, "01": {"/in/c"}}


def test_a_run_that_died_is_read_by_its_journal(tmp_path: Path) -> None:
    past_run(tmp_path, day(1), {"/in/a": BAD, "/in/b": BAD})
    past_run(tmp_path, day(2), {"/in/a": GOOD, "/in/c": BAD}, state=State.RUNNING)
    assert found(tmp_path) == {"02": {"/in/c"}, "01": {"/in/b"}}


def test_what_a_later_whole_run_no_longer_found_is_gone(tmp_path: Path) -> None:
    past_run(tmp_path, day(1), {"/in/deleted": BAD, "/in/a": GOOD})
    past_run(tmp_path, day(2), {"/in/a": SAME})
    assert found(tmp_path) == {}


def test_the_configuration_is_that_of_the_run(tmp_path: Path) -> None:
    past_run(tmp_path, day(1), {"/in/a": BAD}, given="/first")
    (quarantine,) = quarantines(tmp_path)
    assert quarantine.configuration["input"] == "/first"


def test_a_folder_without_runs_has_no_quarantine(tmp_path: Path) -> None:
    assert quarantines(tmp_path) == []
