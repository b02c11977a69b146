"""Showing how far a run is: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from anonflow.observe.logs import told

log = logging.getLogger(__name__)

STAGES = ("plan", "detect", "mask", "publish")
_LINE_EVERY_S = 10.0


@dataclass(frozen=True)
class Snapshot:
    """Where a run stands. Frames are known once their video is planned; failed chunks may count frames twice.

    A picture counts as a video of one frame.
    """

    videos: int
    planned_videos: int
    ended_videos: int
    planned_frames: int
    detected_frames: int
    masked_frames: int

    def stages(self) -> dict[str, tuple[int, int, str]]:
        """Done, total and unit by stage."""
        frames = self.planned_frames
        return {
            "plan": (min(self.planned_videos, self.videos), self.videos, "files"),
            "detect": (min(self.detected_frames, frames), frames, "frames"),
            "mask": (min(self.masked_frames, frames), frames, "frames"),
            "publish": (self.ended_videos, self.videos, "files"),
        }

    def course(self) -> dict[str, float]:
        """The counts by the names that the report has them under."""
        return {
            "planned": min(self.planned_videos, self.videos),
            "ended": self.ended_videos,
            "planned_frames": self.planned_frames,
            "detected_frames": min(self.detected_frames, self.planned_frames),
            "masked_frames": min(self.masked_frames, self.planned_frames),
        }


class Display(Protocol):
    """Shows snapshots."""

    def show(self, snapshot: Snapshot) -> None:
        """Bring the display up to date."""


@dataclass
class Bars:
    """A bar per stage on a terminal, with rate and time left."""

    progress: Progress
    tasks: dict[str, TaskID] = field(default_factory=dict)

    def show(self, snapshot: Snapshot) -> None:
        """Move the bars."""
        for stage, (done, total, unit) in snapshot.stages().items():
            if stage not in self.tasks:
                self.tasks[stage] = self.progress.add_task(stage, total=None, unit=unit, rate="")
            task = self.tasks[stage]
            self.progress.update(task, completed=done, total=total or None)
            speed = self.progress.tasks[list(self.tasks).index(stage)].speed
            self.progress.update(task, rate=f"{speed:.1f}/s" if speed else "")


@dataclass
class Lines:
    """A log line every few seconds, with rate and time left, for runs that nobody watches."""

    every_s: float = _LINE_EVERY_S
    started: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def show(self, snapshot: Snapshot) -> None:
        """Log a line if it is time."""
        now = time.monotonic()
        if now - self.last < self.every_s:
            return
        self.last = now
        stages = snapshot.stages()
        parts = [f"{stage} {done}/{total} {unit}" for stage, (done, total, unit) in stages.items()]
        facts = {f"{stage}_{unit}": {"done": done, "total": total} for stage, (done, total, unit) in stages.items()}
        rate = self._rate(snapshot, now - self.started)
        log.info("%s%s", ", ".join(parts), rate, extra=told("progress", **facts))

    def _rate(self, snapshot: Snapshot, elapsed_s: float) -> str:
        done, total = snapshot.masked_frames, snapshot.planned_frames
        if not done:
            return ""
        rate = done / elapsed_s
        return f"; {rate:.1f} frames/s, about {max(0, total - done) / rate:.0f} s left of the planned"


@contextmanager
def displayed(console: Console, *, bars: bool) -> Iterator[Display]:
    """The display that suits the place: bars, or lines."""
    if not bars:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total} {task.fields[unit]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress)
