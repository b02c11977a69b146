"""Log lines for people, or as JSON for machines; and which of them may name files.

A line's text may hold the name of a file, and that of an exception may hold anything. So where files are not to be
named, a line says only what its caller has declared to be free of names with `told`: facts with a name each, and a
text. Of all other lines the text is given before anything was put into it.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anonflow.config import RuntimeConfig

_PACKAGE = "anonflow"
_bound: dict[str, str] = {}


def told(event: str, instead: str | None = None, /, **facts: object) -> dict[str, object]:
    """For `extra=` of a log call: what happened, in a word, and facts about it that name no file.

    `instead` is the text where files are not named; without it, the call's own text names none.
    """
    return {"event": event, "instead": instead, "is_told": True, "facts": facts}


def bind(**facts: str) -> None:
    """Have all later JSON lines of this process say so, too; of the run, of the stage."""
    _bound.update(facts)


def set_up_worker(runtime: RuntimeConfig, **facts: str) -> None:
    """Log to this worker's file as configured, unless somebody has set that up; files are named on demand only."""
    package = logging.getLogger(_PACKAGE)
    if not package.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(formatter(runtime.log_format, names_files=runtime.log_paths is True))
        package.handlers[:], package.propagate = [handler], False
        package.setLevel(logging.INFO)
    bind(**facts)


def formatter(log_format: str, *, names_files: bool) -> logging.Formatter:
    """`text` or `json`."""
    if log_format == "json":
        return JsonLines(names_files=names_files)
    return TextLines(names_files=names_files)


class TextLines(logging.Formatter):
    """Time, level and text."""

    def __init__(self, *, names_files: bool, with_time: bool = True) -> None:
        """`names_files`: texts are given as they are."""
        super().__init__("%(asctime)s %(levelname)s %(message)s" if with_time else "%(message)s")
        self._names_files = names_files

    def format(self, record: logging.LogRecord) -> str:
        """A line, and the lines of an exception."""
        if self._names_files:
            return super().format(record)
        quiet = logging.makeLogRecord({**record.__dict__, "msg": _public_text(record), "args": None})
        quiet.exc_info = quiet.exc_text = None
        failure = _failure(record, names_files=False)
        return "".join([super().format(quiet), *(f" [{key}: {value}]" for key, value in failure.items())])


class JsonLines(logging.Formatter):
    """An object a line: ts (UTC), level, logger, event, the facts of run and event, message, error, trace."""

    def __init__(self, *, names_files: bool) -> None:
        """`names_files`: texts are given as they are."""
        super().__init__()
        self._names_files = names_files

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break in it."""
        when = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "ts": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "event": getattr(record, "event", "log"),
            **_bound,
            **getattr(record, "facts", {}),
            "message": record.getMessage() if self._names_files else _public_text(record),
            **_failure(record, names_files=self._names_files),
        }
        return json.dumps(line, default=str)


def _public_text(record: logging.LogRecord) -> str:
    if not getattr(record, "is_told", False):
        return str(record.msg)
    instead: str | None = getattr(record, "instead", None)
    return record.getMessage() if instead is None else instead


def _failure(record: logging.LogRecord, *, names_files: bool) -> dict[str, Any]:
    """The exception's class and where it came from; its text only where files may be named."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return {}
    frames = traceback.extract_tb(error.__traceback__)
    trace = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    said = {"error_text": str(error)} if names_files else {}
    return {"error": type(error).__name__, **said, "trace": trace}
