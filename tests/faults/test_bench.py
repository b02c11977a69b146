"""The judge must see what is wrong, or the table says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults.bench import Bench, Trial, names_of


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """Three clips, of which the undisturbed run's outputs are known; nothing has run."""
    bench = Bench(tmp_path)
    trial = bench.trial(names_of(3))
    bench.reference = {name: Trial.sha256(b"masked " + name.encode()) for name in names_of(8)}
    bench.reference_s = 1.0
    return trial


def ended(trial: Trial, rows: list[tuple[str, str, str]], outputs: list[str]) -> None:
    """As after a run with these rows in its ledger and these outputs."""
    folder = trial.control / "run1"
    folder.mkdir(parents=True)
    records: list[dict[str, Any]] = [
        {"uri": f"/in/{name}", "status": status, "reason": reason, "message": ""} for name, status, reason in rows
    ]
    pq.write_table(pa.Table.from_pylist(records), folder / "ledger.parquet")
    for name in outputs:
        (trial.output / name).write_bytes(b"masked " + name.encode())


PUBLISHED = [(name, "published", "") for name in names_of(3)]


def test_a_run_with_all_it_should_have_is_well(trial: Trial) -> None:
    ended(trial, PUBLISHED, names_of(3))
    assert trial.judge("", "").is_well


def test_what_is_expected_in_quarantine_is_not_lost(trial: Trial) -> None:
    ended(trial, [*PUBLISHED[:2], ("clip_2.mp4", "quarantined", "damaged")], names_of(2))
    assert trial.judge("", "", {"clip_2.mp4": "damaged|missing"}).is_well
    assert trial.judge("", "", {"clip_2.mp4": "missing"}).lost == 1
    assert trial.judge("", "").lost == 1


def test_a_source_without_an_outcome_is_lost(trial: Trial) -> None:
    ended(trial, PUBLISHED[:2], names_of(2))
    assert trial.judge("", "").lost == 1


def test_a_second_outcome_and_a_file_too_many_are_doubled(trial: Trial) -> None:
    ended(trial, [*PUBLISHED, PUBLISHED[0]], [*names_of(3), "clip_5.mp4"])
    found = trial.judge("", "")
    assert found.doubled == 2 and not found.is_well


def test_an_output_that_should_not_be_there_or_is_missing_is_partial(trial: Trial) -> None:
    ended(trial, [*PUBLISHED[:2], ("clip_2.mp4", "quarantined", "damaged")], ["clip_0.mp4", "clip_2.mp4"])
    assert trial.judge("", "", {"clip_2.mp4": "damaged"}).partial == 2


def test_an_unfinished_file_is_partial(trial: Trial) -> None:
    ended(trial, PUBLISHED, names_of(3))
    (trial.control / "partial").mkdir()
    (trial.control / "partial" / "x.mp4").touch()
    assert trial.judge("", "").partial == 1


def test_other_bytes_are_not_equal(trial: Trial) -> None:
    ended(trial, PUBLISHED, names_of(3))
    (trial.output / "clip_1.mp4").write_bytes(b"something else")
    assert not trial.judge("", "").equal
