"""How much memory a stage takes for a short video and for a long one, with real decoding, tracking and encoding.

ANONFLOW_BENCHMARK_MINUTES=1,10,120 pytest -n 0 -s -m benchmark tests/benchmark/test_memory.py
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from anonflow.pipeline.rows import Row
from anonflow.pipeline.stages.detect import Detect
from anonflow.pipeline.stages.join import join
from anonflow.pipeline.stages.mask import mask
from anonflow.pipeline.stages.plan import plan
from anonflow.pipeline.stages.stitch import stitch
from anonflow.types import Status
from tests.media import Clip
from tests.pipeline.worlds import FixedDetector, World, outcome_of, use_detector

MINUTES = [float(m) for m in os.environ.get("ANONFLOW_BENCHMARK_MINUTES", "0.5,5").split(",")]
FRAME_RATE = 25


class Peaks:
    """MiB that the process took beyond what it had, at most, by stage."""

    def __init__(self) -> None:
        self.mib: dict[str, float] = {}

    def of(self, stage: str, work: Callable[[], list[Row]]) -> list[Row]:
        before = _status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
        made = work()
        self.mib[stage] = max(self.mib.get(stage, 0.0), (_status("VmHWM") - before) / 1024)
        return made


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_memory_by_stage_and_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = FixedDetector(boxes=((10.0, 8.0, 40.0, 40.0), (60.0, 20.0, 80.0, 50.0), (5.0, 50.0, 20.0, 60.0)))
    use_detector(monkeypatch, detector)
    for minutes in (MINUTES[0], *MINUTES):  # the first pays for what is loaded once
        peaks = _measured(tmp_path / f"{minutes:g}", round(minutes * 60 * FRAME_RATE))
        print(f"\n{minutes:>6g} min: " + ", ".join(f"{stage} +{mib:.0f} MiB" for stage, mib in peaks.mib.items()))


def _measured(root: Path, n_frames: int) -> Peaks:
    root.mkdir(exist_ok=True)
    world = World.make(root, "chunk.length_s=20", "chunk.overlap_frames=32")
    if not (root / "in" / "clip.mp4").exists():
        world.clip(clip=Clip(n_frames=n_frames, options={"preset": "ultrafast", "g": "50"}))
    context, peaks = world.context(), Peaks()
    paths = replace(context.paths, output=root / f"out{len(list(root.iterdir()))}")
    context = replace(context, paths=replace(paths, work=paths.output / "work"))
    detect = Detect(context)
    rows = peaks.of("plan", lambda: plan(world.row(), context))
    for row in rows:
        peaks.of("detect", lambda row=row: [detect(row)])  # type: ignore[misc]
    rows = peaks.of("stitch", lambda: [made for row in rows for made in stitch(row, context)])
    for row in rows:
        peaks.of("mask", lambda row=row: [mask(row, context)])  # type: ignore[misc]
    rows = peaks.of("join", lambda: [made for row in rows for made in join(row, context)])
    assert [outcome_of(row).status for row in rows] == [Status.PUBLISHED]
    return peaks
