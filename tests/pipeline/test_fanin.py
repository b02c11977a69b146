from __future__ import annotations

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anonflow.errors import EncodeError, StorageError
from anonflow.pipeline.fanin import closes_video, first_failure
from anonflow.pipeline.guard import record_failure
from anonflow.pipeline.paths import Keys, Paths
from anonflow.pipeline.rows import Row
from anonflow.storage import write_bytes

N = 12


@pytest.fixture
def paths(tmp_path: Path) -> Any:
    return Paths(tmp_path / "out", tmp_path / "work", "run1", Keys("p", "d", "t", "m"))


def row(chunk: Any, n_chunks: Any = N) -> Any:
    return Row("/in/a.mp4", "a.mp4", "v", 1, 1, chunk, n_chunks)


def test_the_last_chunk_that_arrives_closes_the_video(paths: Paths) -> None:
    closed = []
    for chunk in (2, 0, 1):
        write_bytes(paths.tracks("v", chunk), b"x")
        closed.append(closes_video(paths, "stitch", paths.tracks, row(chunk, 3)))
    assert closed == [False, False, True]


def test_exactly_one_of_many_threads_closes_and_always_the_same(paths: Paths) -> None:
    """All chunks arrive at once, each several times, as tasks do that are run again."""
    start = threading.Barrier(N)

    def arrive(chunk: Any) -> Any:
        start.wait()
        write_bytes(paths.tracks("v", chunk), b"x")
        return [closes_video(paths, "stitch", paths.tracks, row(chunk)) for _ in range(20)]

    with ThreadPoolExecutor(N) as pool:
        answers = list(pool.map(arrive, range(N)))
    closers = [chunk for chunk, given in enumerate(answers) if any(given)]
    assert len(closers) == 1
    (closer,) = closers
    assert answers[closer][-1]
    for _ in range(3):
        again = [closes_video(paths, "stitch", paths.tracks, row(chunk)) for chunk in range(N)]
        assert again == [chunk == closer for chunk in range(N)]


def test_a_failed_chunk_has_arrived_too(paths: Paths) -> None:
    write_bytes(paths.tracks("v", 0), b"x")
    assert not closes_video(paths, "stitch", paths.tracks, row(0, 2))
    record_failure(paths.failure(paths.tracks("v", 1)), EncodeError("no"))
    assert closes_video(paths, "stitch", paths.tracks, row(1, 2))


def test_a_failure_of_another_run_has_not_arrived(paths: Paths) -> None:
    earlier = replace(paths, run_id="run0")
    record_failure(earlier.failure(paths.tracks("v", 0)), EncodeError("no"))
    assert not closes_video(paths, "stitch", paths.tracks, row(0, 1))


def test_a_claim_survives_the_work_of_its_video(paths: Paths) -> None:
    """After the video has ended its chunks are gone; a task that is run again still gets its answer."""
    for chunk in range(2):
        write_bytes(paths.segment("v", chunk), b"x")
    assert closes_video(paths, "join", paths.segment, row(1, 2))
    paths.remove_work("v")
    assert closes_video(paths, "join", paths.segment, row(1, 2))
    assert not closes_video(paths, "join", paths.segment, row(0, 2))


def test_the_two_fan_ins_and_two_videos_are_apart(paths: Paths) -> None:
    other = replace(row(0, 1), video_id="w")
    for path in (paths.tracks("v", 0), paths.tracks("w", 0), paths.segment("v", 0)):
        write_bytes(path, b"x")
    assert closes_video(paths, "stitch", paths.tracks, row(0, 1))
    assert closes_video(paths, "stitch", paths.tracks, other)
    assert closes_video(paths, "join", paths.segment, row(0, 1))


def test_nothing_but_the_claim_is_left(paths: Paths) -> None:
    write_bytes(paths.tracks("v", 0), b"x")
    for _ in range(3):
        closes_video(paths, "stitch", paths.tracks, row(0, 1))
    assert list(paths.closed("stitch", "v").parent.iterdir()) == [paths.closed("stitch", "v")]


def test_a_claim_that_cannot_be_written_is_a_named_error(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_bytes(paths.tracks("v", 0), b"x")
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(StorageError):
        closes_video(paths, "stitch", paths.tracks, row(0, 1))
    assert list(paths.closed("stitch", "v").parent.iterdir()) == []


def test_the_first_failure_is_that_of_the_first_chunk(paths: Paths) -> None:
    assert first_failure(paths, paths.tracks, row(0, 3)) is None
    record_failure(paths.failure(paths.tracks("v", 2)), EncodeError("third"))
    record_failure(paths.failure(paths.tracks("v", 1)), EncodeError("second"))
    error = first_failure(paths, paths.tracks, row(0, 3))
    assert error is not None
    assert (error.reason, str(error), error.transient) == ("encode", "second", False)
