from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from anonflow.pipeline import latency
from anonflow.pipeline.latency import Timed, percentile_ms, total
from tests.pipeline.worlds import FixedDetector

PICTURE = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Time that goes on by as much as the test says with each look."""
    steps: list[float] = []
    now = [0.0]

    def read() -> float:
        now[0] += steps.pop(0) if steps else 0.0
        return now[0]

    monkeypatch.setattr(latency.time, "perf_counter", read)
    return steps


def test_every_picture_has_its_share_of_a_batch(clock: Any) -> None:
    clock += [0, 0.1, 0, 0.4]
    timed = Timed(FixedDetector())
    assert len(timed.detect([PICTURE])) == 1 and len(timed.detect([PICTURE] * 2)) == 2 and timed.provider == "cpu"
    histogram = timed.take()
    assert sum(histogram.values()) == 3
    assert percentile_ms(histogram, 0.1) == pytest.approx(100, rel=0.02)
    assert percentile_ms(histogram, 0.9) == pytest.approx(200, rel=0.02)
    assert timed.take() == {} and timed.detect([]) == []


def test_histograms_add_up_and_percentiles_are_exact_to_a_step() -> None:
    times_ms = np.random.default_rng(0).lognormal(3, 1, 2000)
    parts = [{latency._bin(t / 1000): 1 for t in times_ms[n::7].tolist()} for n in range(7)]
    counted = [total([{latency._bin(t / 1000): 1} for t in times_ms[n::7].tolist()]) for n in range(7)]
    assert sum(total(counted).values()) == 2000 > sum(total(parts).values())
    for share in (0.5, 0.9, 0.99):
        assert percentile_ms(total(counted), share) == pytest.approx(np.percentile(times_ms, 100 * share), rel=0.03)
    assert math.isnan(percentile_ms({}, 0.5))
