"""Inputs that several test packages share."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from anonflow.demo.scene import FRAME_RATE, HEIGHT, WIDTH, frames, portrait
from anonflow.remote.access import STORES, Access, Store
from anonflow.remote.path import RemotePath
from anonflow.storage import StoragePath
from anonflow.video.clip import write_clip
from anonflow.video.scheduling import usual_scheduling
from tests.stores import Bucket, make_bucket, s3_server


@pytest.fixture(autouse=True)
def _scheduled_as_usual() -> Iterator[None]:
    """Tests that encode AV1 by themselves leave the tests after them what they had."""
    with usual_scheduling():
        yield


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


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoragePath:
    """A folder of either kind: local, or in a store that lives in this process."""
    if request.param == "local":
        return tmp_path / "place"
    monkeypatch.setitem(STORES, "memory", Store("memory", "fsspec", ""))
    return RemotePath.of(f"memory://{uuid.uuid4().hex}/place", Access(scratch_dir=str(tmp_path / "scratch")))
