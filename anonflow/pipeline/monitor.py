"""Progress across processes: stages add to counters that one small actor holds, the driver reads them."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy


class _Counters:
    """The actor: what each stage has done. It holds nothing that a result depends on."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, name: str, amount: int) -> None:
        self._counts[name] += amount

    def read(self) -> dict[str, int]:
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

    def planned(self, frames: int, sources: int = 1) -> None:
        """A video of `frames` frames was planned, or `sources` pictures."""
        self.counters.add.remote("planned_videos", sources)
        self.counters.add.remote("planned", frames)

    def read(self) -> dict[str, int]:
        """All counters."""
        counts: dict[str, int] = ray.get(self.counters.read.remote(), timeout=5)
        return counts


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
        stop.set()
        thread.join(timeout=10)
