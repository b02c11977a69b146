from __future__ import annotations

import math

import pytest

from anonflow.pipeline import latency
from anonflow.pipeline.speed import speed


def test_stages_models_and_throughput() -> None:
    quick, slow = ({"frames": n, "wall_s": s, "cpu_s": s / 2} for n, s in ((90, 0.9), (10, 1.0)))
    notes = [{"detect": [quick]}, {"detect": [slow], "stitch": [{"frames": 100, "wall_s": 0.1, "cpu_s": 0.05}]}]
    got = speed(notes, [{"m": {latency._bin(0.01): 3}}, {"m": {latency._bin(0.1): 1}}], 100, 4.0)
    detect = got["stages"]["detect"]
    assert (detect["p50_ms"], detect["p99_ms"], detect["frames"]) == (pytest.approx(10), pytest.approx(100), 100)
    assert got["models"]["m"]["pictures"] == 4 and got["models"]["m"]["p99_ms"] == pytest.approx(100, rel=0.02)
    assert got["frames_per_s"] == 25 and got["frames_per_cpu_s"] == pytest.approx(100 / (0.95 + 0.05))


def test_nothing_done_has_no_speed() -> None:
    got = speed([], [], 0, 0.0)
    assert math.isnan(got["frames_per_s"]) and got["stages"] == {} == got["models"]
