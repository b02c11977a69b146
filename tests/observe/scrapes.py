"""What Prometheus would read: metrics that Ray's agent answers with, by name."""

from __future__ import annotations

import socket
import urllib.request
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Sample:
    """A value under its full name (`_bucket`, `_sum`, `_count`, `_total` included)."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True)
class Scrape:
    """One answer of an agent."""

    kinds: dict[str, str]
    """Of each metric, as Prometheus calls it: counters without `_total`."""
    samples: list[Sample]

    @property
    def names(self) -> set[str]:
        """What a query can ask for."""
        return {sample.name for sample in self.samples}

    def total(self, name: str, **labels: str) -> float:
        """Sum of the samples of that name with those labels."""
        return sum(s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items())


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def scrape(port: int) -> Scrape:
    """Ask the agent at `port` of this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [Sample(s.name, dict(s.labels), float(s.value)) for family in families for s in family.samples]
    return Scrape({family.name: family.type for family in families}, samples)
