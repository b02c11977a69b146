"""Started as a program: an embedded Ray with a metrics port, and a monitor that is told of everything once."""

from __future__ import annotations

import sys
from dataclasses import replace

import ray

from anonflow.pipeline.cluster import connected
from anonflow.pipeline.monitor import Monitor, watched
from tests.observe.test_statistics import published, quarantined
from tests.pipeline.worlds import configuration


def main(port: int) -> None:
    """Tell, then wait for the end of standard input."""
    runtime = replace(configuration("runtime.object_store_mb=80").runtime, metrics_port=port)
    with connected(runtime):
        monitor = Monitor.start()
        monitor.listed(4)
        monitor.planned(100, chunks=5)
        for stage in ("detect", "mask"):
            monitor.add(stage, 40)
        for stage in ("plan", "detect", "stitch", "mask", "join"):
            monitor.task(stage, "made", 2.0)
        monitor.task("mask", "failed", 1.0)
        monitor.failed("mask", "encode")
        monitor.retried("mask")
        monitor.ended(published(1))
        monitor.ended(quarantined(2))
        kept = ray.put(b"x" * 200_000)  # so that the object store holds something
        with watched(monitor, lambda _: None, every_s=0.5):
            sys.stdin.read()
        del kept


if __name__ == "__main__":
    main(int(sys.argv[1]))
