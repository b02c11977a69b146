"""The dashboard and the rules in cluster/ ask only for what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from anonflow.observe.metrics import METRICS
from tests.observe.scrapes import Scrape

CLUSTER = Path(__file__).parents[2] / "cluster"
DASHBOARD = json.loads((CLUSTER / "grafana" / "anonflow.json").read_text())
RULES = yaml.safe_load((CLUSTER / "prometheus" / "rules.yml").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
OURS = {metric.exported_name: metric for metric in METRICS}


def queries() -> dict[str, str]:
    """All PromQL of dashboard and rules, by where it stands."""
    of_panels = {f"{p['title']} {t['refId']}": t["expr"] for p in PANELS for t in p["targets"]}
    of_rules = {rule["alert"]: rule["expr"] for group in RULES["groups"] for rule in group["rules"]}
    return of_panels | of_rules


def metrics_in(query: str) -> set[str]:
    return set(re.findall(r"\bray_[a-z0-9_]+", re.sub(r'"[^"]*"', '""', query)))


def base(name: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", name)


def test_there_is_something_to_test() -> None:
    assert len(PANELS) >= 20 and len(queries()) >= 25


@pytest.mark.parametrize("place", sorted(queries()))
def test_every_metric_that_is_asked_for_exists(place: str, agent_scrape: Scrape) -> None:
    """In a scrape of a real agent; those of GPUs, which not every machine has, in Ray's own dashboard."""
    asked = metrics_in(queries()[place])
    assert asked
    spec = find_spec("ray.dashboard.modules.metrics.dashboards.default_dashboard_panels")
    assert spec is not None and spec.origin is not None
    of_gpus = {name for name in asked if "gpu" in name or "gram" in name}
    assert asked - of_gpus <= agent_scrape.names
    assert of_gpus <= metrics_in(Path(spec.origin).read_text())


@pytest.mark.parametrize("place", sorted(queries()))
def test_queries_use_labels_that_the_metrics_have(place: str) -> None:
    query = queries()[place]
    of_ray = {"SessionName", "WorkerId", "Component", "Location", "Name", "le"}
    known = of_ray.union(*(OURS[base(n)].labels for n in metrics_in(query) if base(n) in OURS))
    matched = re.findall(r"(\w+)=~?\"", query)
    grouped = [label for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", query) for label in group.split(", ")]
    assert set(matched + grouped) <= known, query


def test_counters_are_not_read_as_gauges() -> None:
    """A rate of a gauge, or a rate without a counter, is a mistake that Prometheus does not tell of."""
    for query in queries().values():
        for name in re.findall(r"(?:rate|increase)\((\w+)", query):
            assert OURS[base(name)].kind in ("counter", "histogram"), query


def test_where_there_is_no_data_no_number_is_shown() -> None:
    """Of a run that has ended, or was never read, "0 quarantined" would be a claim."""
    assert not [place for place, query in queries().items() if "vector(" in query]


def test_every_metric_of_ours_is_shown() -> None:
    shown = {base(name) for query in queries().values() for name in metrics_in(query)}
    assert set(OURS) <= shown


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    """The fields that https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
    names, and panels that neither overlap nor share an id."""
    for field, kind in {"title": str, "uid": str, "schemaVersion": int, "panels": list, "templating": dict}.items():
        assert isinstance(DASHBOARD[field], kind)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        columns, rows = (range(place[at], place[at] + place[size]) for at, size in (("x", "w"), ("y", "h")))
        cells = {(x, y) for x in columns for y in rows}
        assert max(x for x, _ in cells) < 24 and not cells & taken
        taken |= cells


def test_panels_take_the_data_source_that_is_chosen() -> None:
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "session"}
    for panel in PANELS:
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == panel["datasource"]["uid"] == "${datasource}"
            used = set(re.findall(r"\$\{?(\w+)", target["expr"])) - {"__rate_interval"}
            assert used == {"session"}


def test_units_are_grafanas() -> None:
    assert {p["fieldConfig"]["defaults"]["unit"] for p in PANELS} <= {
        "short", "s", "bytes", "Bps", "percent", "decmbytes"
    }  # fmt: skip


def test_every_alert_says_what_to_do() -> None:
    for group in RULES["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"] and len(rule["annotations"]["description"]) > 60


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool, of Prometheus, is not installed")
def test_prometheus_takes_the_rules_and_the_configuration() -> None:
    checks: list[list[Any]] = [["rules", "rules.yml"], ["config", "--syntax-only", "prometheus.yml"]]
    for kind, *rest in checks:
        command = ["promtool", "check", kind, *rest]
        ended = subprocess.run(command, cwd=CLUSTER / "prometheus", capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
