from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonflow.errors import SourceEmptyError, SourceMissingError, StorageUnavailableError
from anonflow.remote.path import RemotePath
from anonflow.storage import write_bytes
from anonflow.video import watchdog
from anonflow.video.decode import decode_range
from anonflow.video.probe import probe
from anonflow.video.reading import SteadyReader, reading
from anonflow.video.watchdog import one_step, step_limit
from tests.media import Clip, make_clip

KINDS = {
    "clip.mp4": Clip(audio=("aac",)),
    "start.mp4": Clip(mux_options={"movflags": "faststart"}),
    "clip.mkv": Clip(audio=("libopus",), time_base=Fraction(1, 1000)),
    "clip.ts": Clip(audio=("aac",), time_base=Fraction(1, 90_000)),
    "clip.avi": Clip(codec="mpeg4", options={"g": "12"}, time_base=Fraction(1, 25)),
}


@pytest.fixture
def store(place: Any) -> RemotePath:
    if isinstance(place, Path):
        pytest.skip("local files are FFmpeg's own business")
    assert isinstance(place, RemotePath)
    return place


@pytest.mark.parametrize("name", KINDS)
def test_a_remote_video_is_what_it_is_locally(store: RemotePath, tmp_path: Path, name: str) -> None:
    local = make_clip(tmp_path / name, KINDS[name])
    remote = store / name
    write_bytes(remote, local.read_bytes())
    one, other = probe(local), probe(remote)
    assert np.array_equal(one.pts, other.pts) and np.array_equal(one.byte_positions, other.byte_positions)
    for name in ("stream", "audio", "end_pts", "container"):
        assert getattr(one, name) == getattr(other, name)
    start, stop = int(one.pts[17]), int(one.pts[25])
    mine = [(pts, frame.to_ndarray()) for pts, frame in decode_range(remote, other, start, stop)]
    theirs = [(pts, frame.to_ndarray()) for pts, frame in decode_range(local, one, start, stop)]
    assert [pts for pts, _ in mine] == [pts for pts, _ in theirs]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(mine, theirs, strict=True))


def test_what_is_not_there_and_what_is_empty(store: RemotePath) -> None:
    with pytest.raises(SourceMissingError, match="memory://"), reading(store / "none"):
        pass
    write_bytes(store / "empty.mp4", b"")
    with pytest.raises(SourceEmptyError), reading(store / "empty.mp4"):
        pass


@pytest.mark.parametrize("good_reads", [0, 1, 3])
def test_a_store_that_fails_is_no_end_of_the_file(
    store: RemotePath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good_reads: int
) -> None:
    remote = store / "clip.ts"
    write_bytes(remote, make_clip(tmp_path / "clip.ts", Clip(n_frames=200, width=320, height=240)).read_bytes())
    left, real = [good_reads], SteadyReader.__init__

    class Failing(io.BytesIO):
        def read(self, *size: Any) -> bytes:
            left[0] -= 1
            if left[0] < 0:
                raise StorageUnavailableError("gone")
            return super().read(*size)

    def init(self: SteadyReader, file: Any, name: str) -> None:
        real(self, Failing(file.read()), name)

    monkeypatch.setattr(SteadyReader, "__init__", init)
    with pytest.raises(StorageUnavailableError):
        probe(remote)


def test_waiting_for_storage_is_no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step that waits is not seen by the watch while it waits."""
    seen: list[float | None] = []

    class Waiting(io.BytesIO):
        def read(self, *size: Any) -> bytes:
            watch = watchdog._watch.get()
            assert watch is not None
            seen.append(watch.begun_s)
            return super().read(*size)

    with step_limit(60, lambda: None), one_step():
        SteadyReader(Waiting(b"x"), "x").read(1)
        watch = watchdog._watch.get()
        assert watch is not None and watch.begun_s is not None
    assert seen == [None]
