from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from anonflow.pipeline import journal as module
from anonflow.pipeline.journal import JOURNAL, Journal, read_journal
from tests.stores import Bucket

LINES = [{"n": 1, "name": "ü\n"}, {"n": 2}, {"n": 3, "long": "x" * 5000}]


def test_lines_are_found_again_where_they_are(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    places = [journal.append(line) for line in LINES]
    assert [journal.at(place) for place in reversed(places)] == LINES[::-1]
    assert journal.at(journal.append({"n": 4})) == {"n": 4}, "reading in between does not move the end"
    assert list(read_journal(tmp_path)) == [*LINES, {"n": 4}]


def test_a_line_that_a_crash_cut_off_is_left_out(tmp_path: Path) -> None:
    Journal(tmp_path).append(LINES[0])
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"n": 5')
    assert list(read_journal(tmp_path)) == LINES[:1]


def test_nobody_else_can_read_it_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(LINES[0])
    assert (tmp_path / JOURNAL).stat().st_mode & 0o777 == 0o600
    journal.remove()
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_appended_lines_lie_in_parts(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an object store: what is there is whole, and what is not there yet, `flush` brings."""
    folder = bucket.path("run")
    written: dict[str, bytes] = {}

    def put(path: Any, content: bytes) -> None:
        assert str(path) not in written, "no part is written twice"
        written[str(path)] = content
        path.write_bytes(content)

    monkeypatch.setattr(module, "write_bytes", put)
    journal = Journal(folder)
    places = [journal.append(line) for line in LINES]
    assert written == {} and journal.at(places[2]) == LINES[2]
    journal.flush()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 60)
    journal.append({"n": 4})
    journal.flush()
    assert len(written) == 2 and list(read_journal(folder)) == [*LINES, {"n": 4}]
    journal.remove()
    assert list(folder.iterdir()) == []
