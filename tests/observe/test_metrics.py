from __future__ import annotations

import re

from anonflow.observe.metrics import METRICS


def test_names_follow_the_conventions_of_prometheus() -> None:
    """https://prometheus.io/docs/practices/naming/"""
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"anonflow_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.help and not re.search(r"milli|_ms\b|minutes", metric.name)


def test_labels_have_few_values() -> None:
    """Never a file, a video, a run or a person."""
    allowed = {"stage", "state", "kind", "status", "reason", "version"}
    assert {label for metric in METRICS for label in metric.labels} == allowed


def test_buckets_rise() -> None:
    for metric in METRICS:
        assert bool(metric.boundaries) == (metric.kind == "histogram")
        assert list(metric.boundaries) == sorted(set(metric.boundaries))
