"""One worker node against two, each with a core of its own, on real videos; head and driver take what is left.

pytest -n 0 -s -m benchmark tests/benchmark/test_workers.py
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.clusters import NO_TOKEN, LocalCluster
from tests.runs import start, wait_until

VIDEOS = int(os.environ.get("ANONFLOW_BENCHMARK_VIDEOS", "24"))


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.skipif(shutil.which("taskset") is None, reason="taskset, of util-linux, is not installed")
def test_two_workers_against_one(tmp_path: Path, sample: Path) -> None:
    archive = tmp_path / "in"
    archive.mkdir()
    for number in range(VIDEOS):
        shutil.copy(sample, archive / f"{number}.mp4")
    cores = sorted(os.sched_getaffinity(0))[:2]
    took = {n: _took(archive, tmp_path / f"out{n}", cores[:n]) for n in (1, 2)}
    for n, (all_s, working_s) in took.items():
        print(f"\n{n} workers: {all_s:.0f} s, {working_s:.0f} s of it from the first finished chunk to the end")
    print(f"speed-up {took[1][0] / took[2][0]:.2f}, without the start {took[1][1] / took[2][1]:.2f}")


def _took(archive: Path, output: Path, cores: list[int]) -> tuple[float, float]:
    """Seconds that a run took, and those after its first chunk."""
    cluster = LocalCluster(NO_TOKEN)
    try:
        cluster.start_head(0)
        for core in cores:
            cluster.add(4, prefix=["taskset", "-c", str(core)])
        begun = time.monotonic()
        places = [f"input={archive}", f"output={output}", f"runtime.address={cluster.address}"]
        limits = [f"runtime.{stage}.max_workers={len(cores)}" for stage in ("detect", "mask")]
        run = start("anonymize", *places, *limits, "runtime.provider=cpu", environment=NO_TOKEN)
        tracks = output / "_anonflow" / "work"
        wait_until(lambda: list(tracks.glob("tracks/*/*/*.npz")), run, timeout_s=300)
        first = time.monotonic()
        code, printed = run.finish(timeout_s=3000)
        ended = time.monotonic()
        assert code == 0, printed
        return ended - begun, ended - first
    finally:
        cluster.end()
