from __future__ import annotations

import pytest

from anonflow.pipeline import timing
from anonflow.pipeline.timing import Stopwatch, total


def test_a_watch_reads_both_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = {"wall": 10.0, "cpu": 3.0}
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clocks["wall"])
    monkeypatch.setattr(timing.time, "process_time", lambda: clocks["cpu"])
    watch = Stopwatch()
    clocks.update(wall=12.5, cpu=7.0)
    assert watch.read() == {"wall_s": 2.5, "cpu_s": 4.0}
    clocks.update(wall=13.0)
    assert watch.read() == {"wall_s": 3.0, "cpu_s": 4.0}


def test_readings_add_up_and_other_notes_are_ignored() -> None:
    readings = [{"wall_s": 1.0, "cpu_s": 2.0, "objects": {}}, {"wall_s": 0.5, "cpu_s": 0.25}]
    assert total(readings) == {"wall_s": 1.5, "cpu_s": 2.25}
    assert total([]) == {"wall_s": 0, "cpu_s": 0}
    assert total(iter(readings)) == {"wall_s": 1.5, "cpu_s": 2.25}
