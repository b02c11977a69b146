"""The most memory that whole runs take: one long video, and as much in videos of a second, with real stages in Ray.

export ANONFLOW_BENCHMARK_MINUTES=120 ANONFLOW_BENCHMARK_CLIPS=10000
pytest -n 0 -s -m benchmark tests/benchmark/test_archive_memory.py
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.media import Clip, make_clip
from tests.observe.scrapes import free_port, scrape
from tests.runs import Run, command_line, start

MINUTES = float(os.environ.get("ANONFLOW_BENCHMARK_MINUTES", "5"))
CLIPS = int(os.environ.get("ANONFLOW_BENCHMARK_CLIPS", "300"))
FRAME_RATE = 25
KINDS = {"ray::MapWorker": "a detector", "ray::": "a task's worker", "anonflow.cli": "the driver"}
"""By what a command line holds, the first that fits."""
_EVERY_S = 1.0
_TIMEOUT_S = 3 * 3600


class Peaks:
    """MiB at most: of one process of each kind, of all together, and of what lies in the object store."""

    def __init__(self, run: Run, port: int) -> None:
        self.mib: dict[str, float] = defaultdict(float)
        self._run, self._port = run, port

    def watch(self) -> str:
        """Look until the run ends; what it printed."""
        with ThreadPoolExecutor(1) as pool:
            ended = pool.submit(self._run.finish, _TIMEOUT_S)
            while not ended.done():
                self._look()
                time.sleep(_EVERY_S)
        code, printed = ended.result()
        assert code == 0, printed
        return printed

    def _look(self) -> None:
        total = 0.0
        for pid in {self._run.process.pid, *self._run.descendants()}:
            mib = _own_mib(pid)
            total += mib
            line = command_line(pid)
            kind = next((name for word, name in KINDS.items() if word in line), "one of Ray's own")
            self.mib[kind] = max(self.mib[kind], round(mib))
        self.mib["all together"] = max(self.mib["all together"], round(total))
        self.mib["object store"] = max(self.mib["object store"], self._stored_mib())

    def _stored_mib(self) -> float:
        try:
            found = scrape(self._port)
        except OSError:  # not there yet, or no more
            return 0.0
        return round(found.total("ray_object_store_memory") / 2**20, 2)


def _own_mib(pid: int) -> float:
    """What is the process's alone: the object store is mapped into many."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def one_long(folder: Path) -> None:
    """One video."""
    options = {"preset": "ultrafast", "g": "50"}
    make_clip(folder / "long.mp4", Clip(n_frames=round(MINUTES * 60 * FRAME_RATE), options=options))


def many_short(folder: Path) -> None:
    """Videos of one second, a thousand a folder."""
    clip = make_clip(folder / "first.mp4", Clip(n_frames=FRAME_RATE))
    for number in range(1, CLIPS):
        path = folder / f"{number // 1000}" / f"{number}.mp4"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(clip.read_bytes())


@pytest.mark.benchmark
@pytest.mark.timeout(_TIMEOUT_S)
@pytest.mark.parametrize("fill", [many_short, one_long])
def test_peaks(tmp_path: Path, fill: Callable[[Path], None]) -> None:
    (tmp_path / "in").mkdir()
    fill(tmp_path / "in")
    port = free_port()
    values = ("detector=faces", "detector.face.long_side_px=64", "video.preset=ultrafast", "video.crf=20")
    places = (f"input={tmp_path / 'in'}", f"output={tmp_path / 'out'}", f"runtime.metrics_port={port}")
    peaks = Peaks(start("anonymize", *places, *values, "runtime.progress=false"), port)
    begun = time.monotonic()
    printed = peaks.watch()
    print(f"\n{fill.__doc__} {time.monotonic() - begun:.0f} s. MiB at most: {dict(sorted(peaks.mib.items()))}")
    print("\n".join(line for line in printed.splitlines() if "published" in line))
