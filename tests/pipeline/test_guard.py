from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anonflow.errors import EncodeError, NoSpaceError, StorageError
from anonflow.pipeline import guard
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.guard import (
    count_attempt,
    deadline,
    internal_error,
    make_result,
    record_failure,
    recorded_failure,
)
from anonflow.storage import write_bytes
from tests.pipeline.worlds import World

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def context(world: World) -> Any:
    return world.context()


@pytest.fixture
def result(context: RunContext) -> Any:
    return context.paths.tracks("v", 0)


def failing(error: Any) -> Any:
    def make() -> None:
        raise error

    return make


def test_a_result_is_made_once(context: RunContext, result: Path) -> None:
    made = []

    def make() -> None:
        made.append(1)
        result.write_bytes(b"x")

    assert make_result(context, result, "a.mp4", make) is None
    assert make_result(context, result, "a.mp4", make) is None
    assert made == [1] and not context.paths.failure(result).exists()


class Told:
    """Notes what it is told, by the name of the call."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *values: self.calls.append((name, *(v for v in values if not isinstance(v, float))))


def test_what_became_of_a_task_is_told(context: RunContext, result: Path) -> None:
    told = Told()
    context = replace(context, progress=told, stage="detect")
    assert make_result(context, result, "a.mp4", lambda: write_bytes(result, b"x")) is None
    assert make_result(context, result, "a.mp4", lambda: None) is None
    other = context.paths.tracks("w", 0)
    assert make_result(context, other, "b.mp4", failing(EncodeError("no")))
    assert make_result(context, other, "b.mp4", failing(AssertionError))
    third = context.paths.tracks("x", 0)
    count_attempt(context.paths.attempts(third))
    assert make_result(context, third, "c.mp4", failing(ValueError("a defect")))
    at_work = [call for call in told.calls if call[0] in ("began", "left")]
    assert at_work == [(word, str(name)) for name in (result, other, third) for word in ("began", "left")]
    assert [call for call in told.calls if call not in at_work] == [
        ("task", "detect", "made"),
        ("task", "detect", "reused"),
        *[("task", "detect", "failed"), ("failed", "detect", "encode")] * 2,
        ("retried", "detect"),
        ("task", "detect", "failed"),
        ("failed", "detect", "internal"),
    ]


def test_a_failure_is_recorded_and_not_tried_again_in_this_run(context: RunContext, result: Path) -> None:
    error = EncodeError("a.mp4: refused")
    assert make_result(context, result, "a.mp4", failing(error)) is error
    again = make_result(context, result, "a.mp4", failing(AssertionError()))
    assert again is not None
    assert (again.reason, str(again), again.transient) == ("encode", "a.mp4: refused", False)


def test_a_later_run_tries_again(world: World, context: RunContext, result: Path) -> None:
    make_result(context, result, "a.mp4", failing(EncodeError("refused")))
    assert make_result(world.context("run2"), result, "a.mp4", lambda: result.write_bytes(b"x") and None) is None


def test_attempts_are_counted_before_they_start_and_run_out(context: RunContext, result: Path) -> None:
    """Each attempt that ended with its worker left a mark and no result."""
    for expected in range(1, context.config.runtime.max_attempts + 1):
        assert count_attempt(context.paths.attempts(result)) == expected
    error = make_result(context, result, "a.mp4", failing(AssertionError("not tried again")))
    assert error is not None
    assert error.reason == "worker_crash" and error.transient and "a.mp4" in str(error)
    assert recorded_failure(context.paths.failure(result)) is not None


def test_the_last_attempt_is_still_made(context: RunContext, result: Path) -> None:
    for _ in range(context.config.runtime.max_attempts - 1):
        count_attempt(context.paths.attempts(result))
    assert make_result(context, result, "a.mp4", lambda: result.write_bytes(b"x") and None) is None


def test_an_unforeseen_exception_is_internal_and_its_text_stays_in_the_log(
    context: RunContext, result: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        error = make_result(context, result, "a.mp4", failing(ValueError("box 12 34 56 78")))
    assert error is not None
    assert error.reason == "internal" and "ValueError" in str(error) and "a.mp4" in str(error)
    assert "box" not in str(error)
    assert "Traceback" in caplog.text


def test_a_full_disk_is_told_apart_from_a_defect(context: RunContext, result: Path) -> None:
    error = make_result(context, result, "a.mp4", failing(OSError(28, "No space left on device")))
    assert isinstance(error, NoSpaceError) and error.transient
    assert internal_error("a.mp4", PermissionError(13, "no", "/x/y")).reason == "no_write_permission"


def test_too_little_memory_is_told_apart_from_a_defect(context: RunContext, result: Path) -> None:
    error = make_result(context, result, "a.mp4", failing(MemoryError()))
    assert error is not None
    assert (error.reason, error.transient) == ("out_of_memory", True) and "a.mp4" in str(error)


def test_a_worker_that_is_of_no_more_use_ends_as_if_it_was_killed() -> None:
    ended = run("from anonflow.pipeline.guard import end_worker\nend_worker('the GPU failed')")
    assert ended.returncode not in (0, 1) and "Traceback" not in ended.stderr


def test_a_failure_that_cannot_be_recorded_comes_back_all_the_same(
    context: RunContext, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NoSpaceError("full")

    monkeypatch.setattr(guard, "write_json", refuse)
    error = make_result(context, result, "a.mp4", failing(EncodeError("refused")))
    assert error is not None
    assert error.reason == "encode" and not context.paths.failure(result).exists()


def test_an_attempt_that_cannot_be_counted_is_a_failure(context: RunContext, result: Path) -> None:
    result.parent.parent.mkdir(parents=True)
    result.parent.write_bytes(b"a file where the folder should be")
    error = make_result(context, result, "a.mp4", failing(AssertionError("not without a count")))
    assert isinstance(error, StorageError)


def test_records_come_back(tmp_path: Path) -> None:
    assert recorded_failure(tmp_path / "none.json") is None
    record_failure(tmp_path / "f.json", NoSpaceError("ü\nfull"))
    error = recorded_failure(tmp_path / "f.json")
    assert error is not None
    assert (error.reason, str(error), error.transient) == ("no_space", "ü\nfull", True)


HANG = """
import time
from pathlib import Path
from anonflow.pipeline.guard import deadline
with deadline(0.3, Path({failure!r}), "a.mp4"):
    time.sleep(60)
print("survived")
"""


def run(code: Any) -> Any:
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment, check=False
    )


def test_a_hang_ends_its_process_and_leaves_the_reason(tmp_path: Path) -> None:
    ended = run(HANG.format(failure=str(tmp_path / "failure.json")))
    assert ended.returncode != 0 and "survived" not in ended.stdout
    record = json.loads((tmp_path / "failure.json").read_text())
    assert record["reason"] == "chunk_timeout" and record["transient"] and "a.mp4" in record["message"]


def test_a_hang_ends_its_process_even_when_the_reason_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run(HANG.format(failure=str(tmp_path / "file" / "failure.json")))
    assert ended.returncode != 0 and "survived" not in ended.stdout


def test_a_block_that_ends_in_time_is_left_alone(tmp_path: Path) -> None:
    code = HANG.format(failure=str(tmp_path / "failure.json")).replace("sleep(60)", "sleep(0)")
    ended = run(code + "time.sleep(0.6)\nprint('still here')")
    assert ended.returncode == 0 and "still here" in ended.stdout
    assert not (tmp_path / "failure.json").exists()


def test_the_deadline_is_lifted_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), deadline(1000, tmp_path / "f.json", "a.mp4"):
        raise ValueError("x")
    import threading

    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer) and not t.finished.is_set()]


def test_a_deadline_that_passes_in_a_chunk_is_found_by_the_next_attempt(
    world: World, context: RunContext, result: Path
) -> None:
    record_failure(context.paths.failure(result), guard.ChunkTimeoutError("a.mp4: too long"))
    error = make_result(context, result, "a.mp4", failing(AssertionError()))
    assert error is not None and error.reason == "chunk_timeout"
    assert replace(context, paths=world.context("run2").paths).paths.failure(result).exists() is False


STUCK = """
import time
from pathlib import Path
from anonflow.pipeline.guard import frame_deadline
from anonflow.video.watchdog import one_step
with frame_deadline(0.3, Path({failure!r}), "a.mp4"):
    with one_step():
        time.sleep({sleep_s})
print("survived")
"""


def test_a_frame_that_takes_too_long_ends_its_process_and_leaves_the_reason(tmp_path: Path) -> None:
    ended = run(STUCK.format(failure=str(tmp_path / "failure.json"), sleep_s=60))
    assert ended.returncode != 0 and "survived" not in ended.stdout
    record = json.loads((tmp_path / "failure.json").read_text())
    assert record["reason"] == "limit" and "a.mp4" in record["message"]
    assert "limits.max_decode_s_per_frame" in record["message"]


def test_frames_that_are_in_time_are_left_alone(tmp_path: Path) -> None:
    ended = run(STUCK.format(failure=str(tmp_path / "failure.json"), sleep_s=0))
    assert ended.returncode == 0 and "survived" in ended.stdout


def test_a_result_of_several_chunks_has_the_time_of_all(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[float] = []

    def noted(seconds: float, *_: object) -> AbstractContextManager[None]:
        given.append(seconds)
        return nullcontext()

    monkeypatch.setattr(guard, "deadline", noted)
    context = world.context()
    for n_chunks in (1, 7):
        guard.make_result(context, tmp_path / f"{n_chunks}", "x", lambda: None, n_chunks)
    assert given == [3600, 7 * 3600]
