"""Inputs that several test packages share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from anonflow.demo.scene import FRAME_RATE, HEIGHT, WIDTH, frames, portrait
from anonflow.video.clip import write_clip
from tests.stores import Bucket, make_bucket, s3_server


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first three seconds of the demo's sample: a real face, a plate, motion, sound."""
    path = tmp_path_factory.mktemp("sample") / "sample.mp4"
    write_clip(path, islice(frames(portrait()), 3 * FRAME_RATE), (WIDTH, HEIGHT), FRAME_RATE)
    return path


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3-compatible server."""
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3: str) -> Bucket:
    """A new bucket."""
    return make_bucket(s3)
