"""FFmpeg's own messages: never on the terminal (they carry file names), but countable where they are evidence."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import av.logging

LibavLine = tuple[int, str, str]

_collecting: ContextVar[list[LibavLine] | None] = ContextVar("collecting", default=None)


def silence() -> None:
    """Keep FFmpeg, x265 and SVT-AV1 from printing. Idempotent; called when `anonflow.video` is imported.

    The level stays at WARNING for good, instead of being raised where it is needed, because it is one value for
    the whole process and another thread could lower it in the middle of a check.
    """
    logger = logging.getLogger("libav")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    av.logging.set_level(av.logging.WARNING)
    av.logging.set_skip_repeated(False)
    os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 asks the environment only; 1: errors


@contextmanager
def captured_warnings() -> Iterator[list[LibavLine]]:
    """Collect what FFmpeg says on this thread at WARNING or worse: `(level, context, message)` per line.

    A block within another one tells the outer one, too.
    """
    outer = _collecting.get()
    with av.logging.Capture(local=True) as lines:
        token = _collecting.set(lines)
        try:
            yield lines
        finally:
            _collecting.reset(token)
            if outer is not None:
                outer.extend(lines)
