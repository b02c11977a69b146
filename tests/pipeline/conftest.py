"""What the tests of the stages share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.worlds import FixedDetector, World, use_detector


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty world."""
    return World.make(tmp_path)


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> FixedDetector:
    """A detector that sees one box in every frame."""
    return use_detector(monkeypatch, FixedDetector())
