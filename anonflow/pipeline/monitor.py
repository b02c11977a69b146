"""Progress across processes: stages tell one small actor, which counts and exports metrics; the driver reads it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from anonflow.pipeline.interrupts import deferred
from anonflow.pipeline.metrics import Exporter
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.stall import Signs
from anonflow.types import Status


class _Counters:
    """The actor: what each stage has done. It holds nothing that a result depends on."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._exporter = Exporter()
        self._signs = 0
        self._until: dict[str, float] = {}

    def add(self, name: str, amount: int) -> None:
        self._signs += 1
        self._counts[name] += amount
        self._exporter.frames(name, amount)

    def planned(self, frames: int, sources: int, chunks: int) -> None:
        self._signs += 1
        self._counts.update({"planned_videos": sources, "planned": frames})
        self._exporter.planned(frames, chunks)

    def tell(self, what: str, *values: Any) -> None:
        self._signs += 1
        getattr(self._exporter, what)(*values)

    def retried(self, stage: str) -> None:
        self._signs += 1
        self._counts["retried"] += 1
        self._exporter.retried(stage)

    def began(self, task: str, limit_s: float) -> None:
        self._signs += 1
        self._until[task] = time.monotonic() + limit_s

    def left(self, task: str) -> None:
        self._signs += 1
        self._until.pop(task, None)

    def signs(self) -> Signs:
        now = time.monotonic()
        self._until = {task: until for task, until in self._until.items() if until > now}
        return Signs(self._signs, is_busy=bool(self._until))

    def read(self) -> dict[str, int]:
        self._exporter.refresh()
        return dict(self._counts)


@dataclass(frozen=True)
class Monitor:
    """Handle of the counters, given to every stage."""

    counters: Any

    @classmethod
    def start(cls) -> Monitor:
        """Start the actor; it ends with the Ray job. It lives beside the driver: the counts outlive other nodes."""
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        actor = ray.remote(num_cpus=0, max_restarts=-1)(_Counters)
        return cls(actor.options(scheduling_strategy=here).remote())

    def add(self, stage: str, frames: int) -> None:
        """`frames` more frames went through `stage`. Nobody waits for the answer."""
        self.counters.add.remote(stage, frames)

    def planned(self, frames: int, sources: int = 1, chunks: int = 1) -> None:
        """A video of `frames` frames was planned in `chunks` chunks, or `sources` pictures in an album."""
        self.counters.planned.remote(frames, sources, chunks)

    def task(self, stage: str, state: str, wall_s: float) -> None:
        """A task ended in a state of `observe.metrics`."""
        self.counters.tell.remote("task", stage, state, wall_s)

    def failed(self, stage: str, reason: str) -> None:
        """Something failed in a stage."""
        self.counters.tell.remote("failed", stage, reason)

    def retried(self, stage: str) -> None:
        """A task began again after its worker had died."""
        self.counters.retried.remote(stage)

    def began(self, task: str, limit_s: float) -> None:
        """A task began, or goes on; `limit_s` from now it will have left, or been ended."""
        self.counters.began.remote(task, limit_s)

    def left(self, task: str) -> None:
        """A task that began is at work no more."""
        self.counters.left.remote(task)

    def listed(self, sources: int) -> None:
        """The run has that many sources."""
        self.counters.tell.remote("listed", sources)

    def ended(self, outcome: Outcome) -> None:
        """A source ended."""
        made = outcome.status is Status.PUBLISHED
        sizes = (outcome.source_bytes, outcome.output_bytes) if made else (0, 0)
        self.counters.tell.remote("ended", outcome.kind, str(outcome.status), outcome.reason, *sizes)

    def read(self) -> dict[str, int]:
        """All counters."""
        counts: dict[str, int] = ray.get(self.counters.read.remote(), timeout=5)
        return counts

    def signs(self) -> Signs | None:
        """Signs of life of the stages; None: the actor does not answer just now, or no more."""
        try:
            signs: Signs = ray.get(self.counters.signs.remote(), timeout=5)
        except RayError:
            return None
        return signs


@contextmanager
def watched(monitor: Monitor, show: Callable[[dict[str, int]], None], every_s: float) -> Iterator[None]:
    """Call `show` with the counters again and again during the block, and once at its end."""
    stop = threading.Event()

    def look() -> None:
        # A RayError: the actor is restarting or Ray is going down. The next look will tell.
        with contextlib.suppress(RayError):
            show(monitor.read())

    def poll() -> None:
        while not stop.wait(every_s):
            look()

    thread = threading.Thread(target=poll, daemon=True, name="progress")
    thread.start()
    try:
        yield
        look()
    finally:
        with deferred():
            stop.set()
            thread.join(timeout=10)
