from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import ray
from ray.exceptions import GetTimeoutError

from anonflow.config import RuntimeConfig
from anonflow.pipeline import guard
from anonflow.pipeline.monitor import Monitor, watched
from anonflow.pipeline.rows import Outcome
from anonflow.types import Status


def test_counters_add_up_across_processes(embedded_ray: RuntimeConfig) -> None:
    monitor = Monitor.start()
    for _ in range(3):
        monitor.add("mask", 5)
    monitor.planned(40, chunks=2)
    monitor.task("mask", "made", 1.5)
    monitor.failed("mask", "encode")
    monitor.retried("mask")
    monitor.listed(1)
    monitor.ended(Outcome("/in/a", "a", Status.QUARANTINED, 1, "fp", reason="damaged"))
    assert monitor.read() == {"mask": 15, "planned_videos": 1, "planned": 40, "retried": 1}


def test_whatever_is_told_is_a_sign_of_life(embedded_ray: RuntimeConfig) -> None:
    monitor = Monitor.start()
    tellings = (
        monitor.beat,
        lambda: monitor.add("mask", 5),
        lambda: monitor.planned(40, chunks=2),
        lambda: monitor.task("mask", "made", 1.5),
        lambda: monitor.retried("mask"),
        lambda: monitor.ended(Outcome("/in/a", "a", Status.QUARANTINED, 1, "fp", reason="damaged")),
    )
    for number, tell in enumerate(tellings):
        assert monitor.signs() == number
        tell()
    assert monitor.signs() == monitor.signs() == len(tellings), "to look is none"


def test_the_last_look_is_after_the_block(embedded_ray: RuntimeConfig) -> None:
    monitor, seen = Monitor.start(), []
    with watched(monitor, seen.append, every_s=1000):
        monitor.add("mask", 7)
    assert seen[-1] == {"mask": 7}


def test_looking_stops_when_the_block_fails(embedded_ray: RuntimeConfig) -> None:
    before = threading.active_count()
    with pytest.raises(ValueError, match="x"), watched(Monitor.start(), lambda _: None, every_s=0.01):
        raise ValueError("x")
    assert not [t for t in threading.enumerate() if t.name == "progress"] and threading.active_count() <= before + 5


def test_a_task_at_work_within_its_limit_gives_signs(embedded_ray: RuntimeConfig, tmp_path: Path) -> None:
    monitor = Monitor.start()
    ray.get(ray.remote(num_cpus=0)(_work_a_while).remote(monitor, tmp_path / "failure.json"))
    assert (monitor.signs() or 0) > 1


def _work_a_while(monitor: Monitor, failure: Path) -> None:
    guard._BEAT_EVERY_S = 0.05
    with guard.deadline(100, failure, "a.mp4", monitor):
        time.sleep(1)


def test_signs_that_nobody_counts_are_not_known(embedded_ray: RuntimeConfig) -> None:
    monitor = Monitor.start()
    assert monitor.signs() == 0
    ray.kill(monitor.counters)
    assert monitor.signs() is None


class Silent:
    """Counters that do not answer in time, as under load or while their actor restarts."""

    def read(self) -> None:
        raise GetTimeoutError("no answer")


def test_a_last_look_that_fails_does_not_undo_the_run() -> None:
    """The counters hold nothing that a result depends on."""
    with watched(Silent(), lambda _: None, every_s=1000):
        pass
