from __future__ import annotations

import re

import pytest

from anonflow.observe.metrics import METRICS, Metric
from tests.observe.scrapes import Scrape


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


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_exported_with_its_kind_and_its_labels(agent_scrape: Scrape, metric: Metric) -> None:
    family = metric.exported_name.removesuffix("_total") if metric.kind == "counter" else metric.exported_name
    assert agent_scrape.kinds[family] == metric.kind
    samples = [s for s in agent_scrape.samples if s.name.startswith(metric.exported_name)]
    assert samples and all(set(metric.labels) <= set(s.labels) for s in samples)


def test_what_is_exported_is_what_was_told(agent_scrape: Scrape) -> None:
    total = agent_scrape.total
    assert total("ray_anonflow_outcomes_total", status="published", reason="none") == 1
    assert total("ray_anonflow_outcomes_total", status="quarantined", reason="damaged") == 1
    assert total("ray_anonflow_frames_total", stage="plan") == 100
    assert total("ray_anonflow_queue_frames", stage="mask") == 60
    assert total("ray_anonflow_queue_chunks", stage="mask") == 3
    assert total("ray_anonflow_queue_sources") == 2
    assert total("ray_anonflow_busy_seconds_total", stage="mask") == 3
    assert total("ray_anonflow_stage_seconds_count", stage="mask") == 1
    assert total("ray_anonflow_stage_seconds_bucket", stage="mask", le="1.0") == 0
    assert total("ray_anonflow_stage_seconds_bucket", stage="mask", le="3.0") == 1
    assert (total("ray_anonflow_source_bytes_total"), total("ray_anonflow_output_bytes_total")) == (10, 5)


def test_one_process_exports_them_all(agent_scrape: Scrape) -> None:
    """Whatever the number of workers, the number of series stays."""
    ours = [s for s in agent_scrape.samples if s.name.startswith("ray_anonflow_")]
    assert len({s.labels["WorkerId"] for s in ours}) == 1 and len(ours) < 150
