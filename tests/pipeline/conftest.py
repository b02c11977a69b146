"""What the tests of the stages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from anonflow.config import RuntimeConfig
from anonflow.pipeline.cluster import connected
from tests.pipeline.worlds import FixedDetector, World, configuration, use_detector


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty world."""
    return World.make(tmp_path)


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> FixedDetector:
    """A detector that sees one box in every frame."""
    return use_detector(monkeypatch, FixedDetector())


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> FixedDetector:
    """A detector that sees nothing."""
    return use_detector(monkeypatch, FixedDetector(boxes=()))


@pytest.fixture(scope="session")
def embedded_ray() -> Iterator[RuntimeConfig]:
    """A small embedded Ray, started once for all tests that need one."""
    config = configuration("runtime.object_store_mb=80").runtime
    with connected(config):
        yield config
