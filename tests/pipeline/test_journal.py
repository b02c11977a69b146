from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.pipeline import journal
from anonflow.pipeline.journal import open_journal, read_journal
from anonflow.storage import StoragePath


def test_lines_come_back_in_order_also_from_a_journal_opened_again(place: StoragePath) -> None:
    if isinstance(place, Path):
        place.mkdir()
    for part in range(3):
        opened = open_journal(place / "j")
        for number in range(5):
            opened.add(f"{part} {number} ü")
        opened.close()
    assert read_journal(place / "j") == [f"{part} {number} ü" for part in range(3) for number in range(5)]
    opened.remove()
    assert read_journal(place / "j") == [] and list(place.iterdir()) == []


def test_a_store_gets_few_files(place: StoragePath, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(place, Path):
        pytest.skip("a local file grows")
    now = [100.0]
    monkeypatch.setattr(journal.time, "monotonic", lambda: now[0])
    opened = open_journal(place / "j")
    for number in range(4000):
        now[0] += 0.01
        opened.add(str(number))
    opened.close()
    assert len(list(place.iterdir())) in range(20, 25)
    assert read_journal(place / "j") == [str(number) for number in range(4000)]


def test_a_line_that_a_crash_cut_off_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("one\ntwo\nthr")
    assert read_journal(tmp_path / "j") == ["one", "two"]
