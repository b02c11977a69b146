from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anonflow.observe.metrics import METRICS
from anonflow.pipeline import metrics as module
from anonflow.pipeline.metrics import Exporter


class Recorded:
    """Takes the place of Ray's metrics: values by name and labels."""

    values: dict[tuple[str, ...], float]

    def __init__(self, name: str, description: str, tag_keys: tuple[str, ...], **more: Any) -> None:
        self.name, self.tag_keys, self.more = name, tag_keys, more

    def _key(self, tags: dict[str, str]) -> tuple[str, ...]:
        assert set(tags) == set(self.tag_keys), "every label has a value"
        return (self.name, *(tags[key] for key in self.tag_keys))

    def inc(self, amount: float, tags: dict[str, str]) -> None:
        assert amount > 0, "Ray takes no other"
        self.values[self._key(tags)] = self.values.get(self._key(tags), 0) + amount

    observe = inc

    def set(self, value: float, tags: dict[str, str]) -> None:
        self.values[self._key(tags)] = value


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, ...], float]:
    monkeypatch.setattr(module, "_KINDS", dict.fromkeys(("counter", "gauge", "histogram"), Recorded))
    monkeypatch.setattr(Recorded, "values", {}, raising=False)
    return Recorded.values


def test_counters_add_up_by_their_labels(values: Any) -> None:
    exporter = Exporter()
    exporter.task("mask", "made", 2.0)
    exporter.task("mask", "made", 3.0)
    exporter.task("mask", "failed", 1.0)
    exporter.failed("mask", "encode")
    exporter.retried("mask")
    assert (
        values["anonflow_tasks_total", "mask", "made"] == 2
        and values["anonflow_tasks_total", "mask", "failed"] == 1
    )
    assert values["anonflow_busy_seconds_total", "mask"] == 6
    assert values["anonflow_stage_seconds", "mask"] == 5, "what failed says nothing about how long it takes"
    assert values["anonflow_errors_total", "mask", "encode"] == 1 and values["anonflow_retries_total", "mask"] == 1


def test_queues_are_what_is_planned_and_not_done(values: Any) -> None:
    exporter = Exporter()
    exporter.listed(3)
    exporter.planned(100, 4)
    exporter.frames("detect", 60)
    exporter.task("detect", "made", 1.0)
    exporter.ended("video", "quarantined", "damaged", 0, 0)
    assert values["anonflow_queue_frames", "detect"] == 40 and values["anonflow_queue_frames", "mask"] == 100
    assert values["anonflow_queue_chunks", "detect"] == 3 and values["anonflow_queue_chunks", "mask"] == 4
    assert values["anonflow_queue_sources",] == 2


def test_gauges_are_told_again_and_counters_are_not(values: Any) -> None:
    """Ray forgets a gauge that was not set since it last asked: that of a run that hangs, above all."""
    exporter = Exporter()
    exporter.listed(3)
    exporter.planned(100, 4)
    before = dict(values)
    gauges = [key for key in values if not key[0].endswith("_total")]
    for key in gauges:
        del values[key]
    exporter.refresh()
    assert values == before and len(gauges) >= 5


def test_what_is_done_twice_makes_no_queue_below_zero(values: Any) -> None:
    exporter = Exporter()
    exporter.planned(10, 1)
    exporter.frames("mask", 16)
    exporter.task("mask", "made", 1.0)
    exporter.task("mask", "reused", 0.0)
    assert values["anonflow_queue_frames", "mask"] == 0 and values["anonflow_queue_chunks", "mask"] == 0


def test_outcomes_carry_their_reason_and_bytes(values: Any) -> None:
    exporter = Exporter()
    exporter.ended("video", "published", "", 100, 50)
    exporter.ended("picture", "quarantined", "damaged_picture", 0, 0)
    assert values["anonflow_outcomes_total", "video", "published", "none"] == 1
    assert values["anonflow_outcomes_total", "picture", "quarantined", "damaged_picture"] == 1
    assert values["anonflow_source_bytes_total",] == 100 and values["anonflow_output_bytes_total",] == 50
    assert values["anonflow_last_progress_timestamp_seconds",] > 1.7e9


@pytest.mark.parametrize("kind", ["counter", "gauge", "histogram"])
def test_all_metrics_are_made(values: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def noting(name: str, **more: Any) -> Recorded:
        made.append(name)
        return Recorded(name, **more)

    factory: Callable[..., Recorded] = noting
    monkeypatch.setitem(module._KINDS, kind, factory)
    Exporter()
    assert made == [metric.name for metric in METRICS if metric.kind == kind]
