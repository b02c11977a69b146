from __future__ import annotations

import io
import logging
import re
from typing import Any

import pytest
from rich.console import Console

from anonflow.pipeline.progress import STAGES, Bars, Lines, Snapshot, displayed

HALF = Snapshot(
    videos=4, planned_videos=2, ended_videos=1, planned_frames=100, detected_frames=60, masked_frames=50
)


def terminal() -> Any:
    return Console(file=io.StringIO(), force_terminal=True, width=120)


def test_a_snapshot_counts_videos_and_frames() -> None:
    assert HALF.stages() == {
        "plan": (2, 4, "files"),
        "detect": (60, 100, "frames"),
        "mask": (50, 100, "frames"),
        "publish": (1, 4, "files"),
    }
    assert tuple(HALF.stages()) == STAGES


def test_no_stage_is_ever_past_its_end() -> None:
    """Frames of a chunk that was tried twice are counted twice."""
    for done, total, _ in Snapshot(2, 5, 2, 100, 170, 101).stages().values():
        assert done <= total


def test_lines_are_logged_with_rate_and_rest(caplog: pytest.LogCaptureFixture) -> None:
    lines = Lines(every_s=0, started=-1e6)
    with caplog.at_level(logging.INFO):
        lines.show(HALF)
    (line,) = caplog.messages
    assert "detect 60/100 frames" in line and "publish 1/4 files" in line
    assert re.search(r"frames/s, about \d+ s left", line)


def test_no_rate_before_the_first_frame(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Lines(every_s=0).show(Snapshot(1, 0, 0, 0, 0, 0))
    assert "frames/s" not in caplog.text and "plan 0/1 files" in caplog.text


def test_lines_keep_their_distance(caplog: pytest.LogCaptureFixture) -> None:
    lines = Lines(every_s=3600)
    with caplog.at_level(logging.INFO):
        for _ in range(10):
            lines.show(HALF)
    assert caplog.messages == []


def test_bars_are_drawn_on_a_terminal() -> None:
    console = terminal()
    with displayed(console, bars=True) as display:
        assert isinstance(display, Bars)
        display.show(Snapshot(4, 0, 0, 0, 0, 0))
        display.show(HALF)
        done = {task.description: (task.completed, task.total) for task in display.progress.tasks}
    assert done == {"plan": (2, 4), "detect": (60, 100), "mask": (50, 100), "publish": (1, 4)}
    drawn = console.file.getvalue()
    assert all(stage in drawn for stage in STAGES) and "60/100 frames" in drawn


def test_no_bars_where_nobody_watches() -> None:
    console = Console(file=io.StringIO())
    with displayed(console, bars=False) as display:
        display.show(HALF)
    assert isinstance(display, Lines) and console.file.getvalue() == ""
