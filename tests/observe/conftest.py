"""One scrape of a real Ray agent for all tests of metrics and dashboards."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from anonflow.observe.metrics import METRICS
from tests.observe.scrapes import Scrape, free_port, scrape

_FORGOTTEN_S = 6.0
"""Longer than Ray's agent shows a gauge that nobody sets."""
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def agent_scrape() -> Scrape:
    """After a monitor was told of everything that there is to tell."""
    port = free_port()
    command = [sys.executable, "-m", "tests.observe.every_metric", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        return _complete(port, process)
    finally:
        _, printed = process.communicate(timeout=120)
        assert process.returncode == 0, printed


def _complete(port: int, process: subprocess.Popen[str]) -> Scrape:
    """Ask until all is there, Ray's own metrics too; if it never is, the tests say what is missing."""
    until, found = time.monotonic() + 120, Scrape({}, [])
    wanted = {metric.exported_name for metric in METRICS if metric.kind != "histogram"}
    wanted |= {"ray_anonflow_stage_seconds_bucket", "ray_node_cpu_utilization", "ray_component_uss_bytes"}
    while process.poll() is None and time.monotonic() < until and not wanted <= found.names:
        time.sleep(0.5)
        with suppress(OSError):  # the agent is starting
            found = scrape(port)
    time.sleep(_FORGOTTEN_S)
    return scrape(port)
