from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anonflow.errors import DamagedVideoError
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.progress import Snapshot
from anonflow.pipeline.record import Record, recorded
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.telling import Telling
from anonflow.types import Source

SOURCE = Source("/in/anna.mp4", "anna.mp4", "id", 1, 1)


class Shown:
    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    def show(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)


@pytest.fixture
def telling(tmp_path: Path) -> Iterator[Telling]:
    ledger = Ledger(tmp_path)
    with recorded(tmp_path, "run1", {}) as record:
        yield Telling(record, ledger, 2, time.monotonic())


def outcome() -> Outcome:
    return Outcome.quarantined(SOURCE, "fp", DamagedVideoError("cut short"))


def test_the_counters_reach_the_display_the_course_and_the_record(telling: Telling, tmp_path: Path) -> None:
    display = Shown()
    telling._ledger.add(outcome())
    telling.show(display, {"planned_videos": 1, "planned": 10, "detect": 7, "mask": 3})
    telling.tell()
    (shown,) = display.snapshots
    assert (shown.videos, shown.planned_videos, shown.ended_videos) == (2, 2, 1)
    record = Record.read(tmp_path)
    assert record is not None
    assert record.counts.frames["detect"] == 7 and record.counts.reasons == {"damaged": 1}
    assert telling.course.to_json()["seconds"]


def test_deaths_of_workers_are_told_now_and_then(
    telling: Telling, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for deaths in (0, 1, 2, 3):
        telling.show(Shown(), {"planned": 10, "retried": deaths})
    telling._deaths._when -= 60
    telling.show(Shown(), {"planned": 10, "retried": 3})
    assert [record.facts for record in caplog.records] == [{"deaths": 1}, {"deaths": 3}]
    telling.tell()
    record = Record.read(tmp_path)
    assert record is not None and record.counts.frames == {"planned": 10}


def test_the_record_is_written_now_and_then_only(telling: Telling, tmp_path: Path) -> None:
    telling._ledger.add(outcome())
    telling.tell_if_due()
    record = Record.read(tmp_path)
    assert record is not None and record.counts.ended == 0
    telling._told -= 60
    telling.tell_if_due()
    record = Record.read(tmp_path)
    assert record is not None and record.counts.ended == 1


def test_a_quarantine_is_told_with_its_file_or_with_its_id(
    telling: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    telling.ended(outcome())
    (record,) = caplog.records
    assert "anna.mp4" in record.getMessage()
    assert record.facts["video_id"] == "id" and "anna" not in str(record.facts)
