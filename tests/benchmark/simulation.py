"""An archive of any size through the real listing, graph, ledger and driver, with stages that only wait.

    python -m tests.benchmark.simulation sources 1000 10000 100000
    python -m tests.benchmark.simulation nodes 1 4 16 64

`sources` makes that many files of one byte and shows how time and memory grow with their number. `nodes` keeps the
processes and shortens the work instead: sixteen times the nodes are a sixteenth of the time for each chunk, which
is the same number of tasks a second for Ray and for the driver.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from unittest import mock

from ray.data import Dataset
from rich.console import Console

from anonflow.config import AnonymizeConfig
from anonflow.pipeline import graph, run
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.finish import Summary
from anonflow.pipeline.graph import Stages
from anonflow.pipeline.rows import Outcome, Row
from anonflow.types import Status
from tests.pipeline.worlds import configuration

_FILES_A_FOLDER = 1000
PROCESSES = 4
"""Detectors, and as many mask tasks, in the simulation of nodes."""


@dataclass(frozen=True)
class Work:
    """Stages that only wait."""

    n_chunks: int = 1
    plan_s: float = 0.0
    detect_s: float = 0.0
    mask_s: float = 0.0
    join_s: float = 0.0

    def stages(self) -> Stages:
        """For the graph."""
        return Stages(
            partial(_plan, work=self), partial(_Detect, work=self), _stitch, partial(_mask, work=self), self._join
        )

    def _join(self, row: Row, context: RunContext) -> list[Row]:
        """One chunk speaks for all. Real chunks meet in files, which is the workers' time, not the driver's."""
        if row.chunk:
            return []
        time.sleep(self.join_s)
        return [row.ended(Outcome(row.uri, row.video_id, Status.PUBLISHED, row.size_bytes, "fp", frames=500))]


def _plan(row: Row, _: RunContext, work: Work) -> list[Row]:
    time.sleep(work.plan_s)
    return [replace(row, chunk=chunk, n_chunks=work.n_chunks) for chunk in range(work.n_chunks)]


class _Detect:
    def __init__(self, _: RunContext, work: Work) -> None:
        self._work = work

    def __call__(self, row: Row) -> Row:
        time.sleep(self._work.detect_s)
        return row


def _stitch(row: Row, _: RunContext) -> list[Row]:
    return [row]


def _mask(row: Row, _: RunContext, work: Work) -> Row:
    time.sleep(work.mask_s)
    return row


@dataclass
class Measured:
    """One run. Seconds since its beginning, processor seconds and MiB of the driver's process."""

    n_sources: int
    listed_s: float = 0.0
    rows_s: float = 0.0
    """When the graph was given its first rows."""
    first_s: float = 0.0
    last_s: float = 0.0
    """When nothing was left to do in Ray."""
    total_s: float = 0.0
    driver_cpu_s: float = 0.0
    before_mib: int = 0
    peak_mib: int = 0
    quarters_s: list[float] = field(default_factory=list)
    """When a quarter, a half, ... of the outcomes were there."""

    def __str__(self) -> str:
        streaming = self.last_s - self.first_s
        quarters = ", ".join(f"{b - a:.1f}" for a, b in zip([self.first_s, *self.quarters_s], self.quarters_s))  # noqa: B905
        return (
            f"{self.n_sources:>7} sources: listed {self.listed_s:.1f} s, Ray and rows {self.rows_s:.1f} s, "
            f"first outcome {self.first_s:.1f} s, all {self.last_s:.1f} s "
            f"({1e3 * streaming / self.n_sources:.2f} ms a source; quarters {quarters} s), "
            f"ledger and report {self.total_s - self.last_s:.1f} s, "
            f"driver {1e3 * self.driver_cpu_s / self.n_sources:.2f} ms CPU a source, "
            f"{self.before_mib} -> {self.peak_mib} MiB"
        )


def make_files(folder: Path, n: int) -> None:
    """Files of one byte, a thousand a folder."""
    for number in range(n):
        path = folder / f"{number // _FILES_A_FOLDER:04d}" / f"{number:07d}.mp4"
        if number % _FILES_A_FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(b"x")


def simulate(root: Path, n_sources: int, work: Work, *overrides: str) -> tuple[Measured, Summary]:
    """Run `anonymize` on that many sources; the model is not needed."""
    config = simulated_config(root, *overrides)
    if not (root / "in").exists():
        make_files(root / "in", n_sources)
    measured = Measured(n_sources)
    begun, cpu = time.monotonic(), time.process_time()
    measured.before_mib = _resident_mib()
    with (
        mock.patch.object(run, "check_models"),
        mock.patch.object(run, "list_wanted", _timed(run.list_wanted, measured, begun)),
        mock.patch.object(graph, "build", _timed_build(work, measured, begun)),
        mock.patch.object(graph, "outcomes", partial(_watched, measured, begun, graph.outcomes)),
    ):
        summary = run.anonymize(config, Console(file=io.StringIO()))
    measured.total_s = time.monotonic() - begun
    measured.driver_cpu_s = time.process_time() - cpu
    return measured, summary


def simulated_config(root: Path, *overrides: str) -> AnonymizeConfig:
    """The configuration of a simulated run in a folder."""
    given = configuration("detector=faces", "runtime.object_store_mb=80", "runtime.progress=false", *overrides)
    return replace(given, input=str(root / "in"), output=str(root / "out"))


def _timed(call: Callable[..., object], measured: Measured, begun: float) -> Callable[..., object]:
    def listed(*args: object) -> object:
        found = call(*args)
        measured.listed_s = time.monotonic() - begun
        return found

    return listed


def _timed_build(work: Work, measured: Measured, begun: float) -> Callable[..., Dataset]:
    real = graph.build

    def build(*args: object) -> Dataset:
        measured.rows_s = time.monotonic() - begun
        return real(*args, stages=work.stages())  # type: ignore[arg-type]

    return build


def _watched(
    measured: Measured, begun: float, real: Callable[[Dataset], Iterator[Outcome]], dataset: Dataset
) -> Iterator[Outcome]:
    for number, outcome in enumerate(real(dataset), 1):
        now = time.monotonic() - begun
        if not measured.first_s:
            measured.first_s = now
            print(f"{measured.n_sources:>7} sources: first outcome after {now:.1f} s", flush=True)
        if number % max(1, measured.n_sources // 4) == 0:
            measured.quarters_s.append(now)
        if number % 500 == 1:
            measured.peak_mib = max(measured.peak_mib, _resident_mib())
        yield outcome
    measured.last_s = time.monotonic() - begun  # the chunks that do not speak for their source may end after it


def _resident_mib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def scaled(n_nodes: int) -> tuple[int, Work, float]:
    """Sources, work, and the ideal seconds: a node detects in a chunk of 20 s in 5 s, and masks it in as many.

    At least twelve times the work that the nodes can do at once, so the ends, where nodes idle, weigh little.
    """
    chunk_s = 5.0 * PROCESSES / n_nodes
    n_chunks, rounds = 8, 12
    n_sources = max(rounds * PROCESSES // n_chunks, n_nodes * rounds // n_chunks)
    return n_sources, Work(n_chunks, 0.05, chunk_s, chunk_s, 0.2), n_sources * n_chunks * 5.0 / n_nodes


def main(arguments: list[str]) -> None:
    """Print a line for each number."""
    what, *numbers = arguments
    for number in map(int, numbers):
        root = Path(tempfile.mkdtemp(prefix="anonflow-simulation-"))
        try:
            if what == "sources":
                measured, summary = simulate(root, number, Work())
                assert summary.totals.published == number
                print(measured, flush=True)
            else:
                n_sources, work, ideal_s = scaled(number)
                limits = [f"runtime.{stage}.max_workers={PROCESSES}" for stage in ("detect", "mask")]
                measured, _ = simulate(root, n_sources, work, "runtime.logical_cpus_per_core=8", *limits)
                took_s = measured.last_s - measured.rows_s
                print(f"{number:>3} nodes: {took_s:.1f} s, ideal {ideal_s:.1f} s; {measured}", flush=True)
        finally:
            shutil.rmtree(root)


if __name__ == "__main__":
    main(sys.argv[1:])
