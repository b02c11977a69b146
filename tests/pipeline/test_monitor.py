from __future__ import annotations

import threading
import time

import pytest
import ray
from ray.exceptions import GetTimeoutError

from anonflow.config import RuntimeConfig
from anonflow.pipeline.monitor import Monitor, watched
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.stall import Signs
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
        lambda: monitor.began("mask v", 0),
        lambda: monitor.left("mask v"),
        lambda: monitor.add("mask", 5),
        lambda: monitor.planned(40, chunks=2),
        lambda: monitor.task("mask", "made", 1.5),
        lambda: monitor.retried("mask"),
        lambda: monitor.ended(Outcome("/in/a", "a", Status.QUARANTINED, 1, "fp", reason="damaged")),
    )
    for number, tell in enumerate(tellings):
        assert monitor.signs() == Signs(number, is_busy=False)
        tell()
    assert monitor.signs() == monitor.signs() == Signs(len(tellings), is_busy=False), "to look is none"


def test_a_task_is_at_work_until_it_leaves_or_its_limit_has_passed(embedded_ray: RuntimeConfig) -> None:
    monitor = Monitor.start()

    def busy() -> bool:
        signs = monitor.signs()
        return signs is not None and signs.is_busy

    for task, limit_s in (("a", 1000), ("b", 1000), ("a", 0)):
        monitor.began(task, limit_s)
    assert busy(), "b is"
    monitor.left("b")
    assert not busy()
    monitor.began("c", 0.1)
    until = time.monotonic() + 60
    while busy() and time.monotonic() < until:
        time.sleep(0.05)
    assert not busy()


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


def test_signs_that_nobody_counts_are_not_known(embedded_ray: RuntimeConfig) -> None:
    monitor = Monitor.start()
    assert monitor.signs() == Signs(0, is_busy=False)
    ray.kill(monitor.counters)
    until = time.monotonic() + 60
    while monitor.signs() is not None and time.monotonic() < until:
        time.sleep(0.05)
    assert monitor.signs() is None


class Silent:
    """Counters that do not answer in time, as under load or while their actor restarts."""

    def read(self) -> None:
        raise GetTimeoutError("no answer")


def test_a_last_look_that_fails_does_not_undo_the_run() -> None:
    """The counters hold nothing that a result depends on."""
    with watched(Silent(), lambda _: None, every_s=1000):
        pass
