"""Inputs that several test packages share."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from anonflow.demo.scene import FRAME_RATE, HEIGHT, WIDTH, frames, portrait
from anonflow.video.clip import write_clip


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first three seconds of the demo's sample: a real face, a plate, motion, sound."""
    path = tmp_path_factory.mktemp("sample") / "sample.mp4"
    write_clip(path, islice(frames(portrait()), 3 * FRAME_RATE), (WIDTH, HEIGHT), FRAME_RATE)
    return path
