from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from anonflow.observe import logs
from anonflow.observe.logs import bind, formatter, set_up_worker, told
from tests.pipeline.worlds import configuration

SECRET = "/home/anna-schmidt/wedding day.mp4"


@pytest.fixture(autouse=True)
def nothing_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_bound", {})


def lines(log_format: str, *, names_files: bool) -> tuple[logging.Logger, io.StringIO]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter(log_format, names_files=names_files))
    logger = logging.Logger("anonflow.test")
    logger.addHandler(handler)
    return logger, out


def failing(logger: logging.Logger) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("Unexpected error at %s", SECRET)


def test_json_is_an_object_a_line_with_the_facts_of_run_and_event() -> None:
    logger, out = lines("json", names_files=False)
    bind(run_id="run1", stage="mask")
    logger.warning(
        "Quarantined: %s", SECRET, extra=told("quarantined", "A source", reason="damaged", video_id="v1")
    )
    logger.info("two\nlines", extra=told("other"))
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first.pop("ts").endswith("Z")
    assert first == {
        "level": "WARNING",
        "logger": "anonflow.test",
        "event": "quarantined",
        "run_id": "run1",
        "stage": "mask",
        "reason": "damaged",
        "video_id": "v1",
        "message": "A source",
    }
    assert second["message"] == "two\nlines" and second["event"] == "other"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_file_is_named_unless_that_is_wanted(log_format: str) -> None:
    logger, out = lines(log_format, names_files=False)
    logger.error("%s: no such file", SECRET)
    logger.error("%s", SECRET, extra=told("error", "SourceError (missing)"))
    failing(logger)
    said = out.getvalue()
    assert "anna" not in said and "wedding" not in said
    assert "SourceError (missing)" in said and "ValueError" in said and "test_logs.py" in said


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_files_are_named_where_that_is_wanted(log_format: str) -> None:
    logger, out = lines(log_format, names_files=True)
    logger.error("%s: no such file", SECRET, extra=told("error", "left out"))
    failing(logger)
    assert out.getvalue().count(SECRET) == 3 and "left out" not in out.getvalue()


def test_a_line_that_is_free_of_names_is_told_in_full() -> None:
    for log_format in ("text", "json"):
        logger, out = lines(log_format, names_files=False)
        logger.info("Detector %s: %s", "face", "model", extra=told("detector"))
        assert "Detector face: model" in out.getvalue()


def test_a_fact_that_is_no_json_is_told_as_text() -> None:
    logger, out = lines("json", names_files=False)
    logger.info("x", extra=told("x", value=ValueError("y")))
    assert json.loads(out.getvalue())["value"] == "y"


@contextmanager
def bare_process() -> Iterator[logging.Logger]:
    """As in a worker: nobody has set up logging. (pytest does, when a test's fixtures are there.)"""
    root, package = logging.getLogger(), logging.getLogger("anonflow")
    kept = (root.handlers[:], package.handlers[:], package.propagate, package.level)
    root.handlers[:], package.handlers[:] = [], []
    try:
        yield package
    finally:
        root.handlers[:], package.handlers[:], package.propagate = kept[:3]
        package.setLevel(kept[3])


@pytest.mark.parametrize(("overrides", "is_named"), [({}, False), ({"log_paths": True}, True)])
def test_a_worker_names_files_on_demand_only(
    capsys: pytest.CaptureFixture[str], overrides: Any, is_named: bool
) -> None:
    with bare_process():
        set_up_worker(replace(configuration().runtime, **overrides), run_id="run1", stage="mask")
        failing(logging.getLogger("anonflow.pipeline.guard"))
    said = capsys.readouterr().err
    assert (SECRET in said) is is_named and "ValueError" in said


def test_a_worker_logs_json_with_the_stage_that_it_is_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    runtime = replace(configuration().runtime, log_format="json")
    with bare_process():
        for stage in ("plan", "mask"):
            set_up_worker(runtime, run_id="run1", stage=stage)
            logging.getLogger("anonflow.x").warning("hm", extra=told("hm"))
    assert [json.loads(line)["stage"] for line in capsys.readouterr().err.splitlines()] == ["plan", "mask"]


def test_logging_that_somebody_has_set_up_is_left_alone() -> None:
    own = logging.NullHandler()
    with bare_process() as package:
        package.handlers[:] = [own]
        set_up_worker(configuration().runtime)
        assert package.handlers == [own]
