"""A run's metrics, kept in one process and exported by Ray's agent on its node.

One process, because every process that exports has series of its own: hundreds of workers that come and go would
make thousands of them. Ray's agent shows counters until it ends, gauges for some seconds after they were set: the
driver's looks refresh them, so they tell of runs that are going on.
"""

from __future__ import annotations

import time
from collections import Counter as Counts
from typing import Any

from ray.util import metrics as ray_metrics

from anonflow import __version__
from anonflow.observe import metrics as known
from anonflow.observe.metrics import FRAME_STAGES, METRICS, Metric

_KINDS: dict[str, Any] = {
    "counter": ray_metrics.Counter,
    "gauge": ray_metrics.Gauge,
    "histogram": ray_metrics.Histogram,
}


class Exporter:
    """Takes what happened, and has Ray export it."""

    def __init__(self) -> None:
        """Make all metrics; those without a value yet are not exported."""
        self._made = {metric.name: _made(metric) for metric in METRICS}
        self._gauges: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self._planned_chunks = self._sources = 0
        self._frames: Counts[str] = Counts()
        self._tasks: Counts[str] = Counts()
        self._ended = 0
        self._set(known.RUN, 1, version=__version__)

    def listed(self, sources: int) -> None:
        """The run has that many sources."""
        self._sources = sources
        self._set(known.SOURCES, sources)
        self._set(known.QUEUE_SOURCES, sources)

    def planned(self, frames: int, chunks: int) -> None:
        """So many frames, in so many chunks, are to be worked on."""
        self._planned_chunks += chunks
        self._count(known.PLANNED_CHUNKS, chunks)
        self.frames("plan", frames)

    def frames(self, stage: str, frames: int) -> None:
        """Frames went through a stage."""
        self._frames[stage] += frames
        self._count(known.FRAMES, frames, stage=stage)
        for name in FRAME_STAGES:
            self._set(known.QUEUE_FRAMES, max(0, self._frames["plan"] - self._frames[name]), stage=name)
        self._progressed()

    def task(self, stage: str, state: str, wall_s: float) -> None:
        """A task ended."""
        self._tasks[stage] += 1
        self._count(known.TASKS, 1, stage=stage, state=state)
        if state == known.MADE:
            self._made[known.STAGE_SECONDS.name].observe(wall_s, tags={"stage": stage})
        self._count(known.BUSY_SECONDS, wall_s, stage=stage)
        for name in FRAME_STAGES:
            self._set(known.QUEUE_CHUNKS, max(0, self._planned_chunks - self._tasks[name]), stage=name)
        self._progressed()

    def failed(self, stage: str, reason: str) -> None:
        """Something failed in a stage."""
        self._count(known.ERRORS, 1, stage=stage, reason=reason)

    def retried(self, stage: str) -> None:
        """A task began again."""
        self._count(known.RETRIES, 1, stage=stage)

    def ended(self, kind: str, status: str, reason: str, source_bytes: int, output_bytes: int) -> None:
        """A source ended; bytes are those of an output that this run published."""
        self._ended += 1
        self._count(known.OUTCOMES, 1, kind=kind, status=status, reason=reason or "none")
        self._count(known.SOURCE_BYTES, source_bytes)
        self._count(known.OUTPUT_BYTES, output_bytes)
        self._set(known.QUEUE_SOURCES, max(0, self._sources - self._ended))
        self._progressed()

    def refresh(self) -> None:
        """Tell Ray the gauges once more: it forgets those that were not set since it last asked."""
        for (name, labels), value in self._gauges.items():
            self._made[name].set(value, tags=dict(labels))

    def _progressed(self) -> None:
        self._set(known.LAST_PROGRESS, time.time())

    def _count(self, metric: Metric, amount: float, **labels: str) -> None:
        if amount > 0:  # Ray takes no other
            self._made[metric.name].inc(amount, tags=labels)

    def _set(self, metric: Metric, value: float, **labels: str) -> None:
        self._gauges[metric.name, tuple(labels.items())] = value
        self._made[metric.name].set(value, tags=labels)


def _made(metric: Metric) -> Any:
    more = {"boundaries": list(metric.boundaries)} if metric.kind == "histogram" else {}
    return _KINDS[metric.kind](metric.name, description=metric.help, tag_keys=metric.labels, **more)
