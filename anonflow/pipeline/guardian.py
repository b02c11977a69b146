"""A small process beside a worker that kills it when it does not end its work in time.

A timer inside of the worker is no use once nothing in it can run: a library that hangs without giving the
interpreter back, a process that was stopped. The guardian holds no files and little memory, and ends with its
worker, however that ends: their pipe closes.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anonflow.storage import StoragePath

log = logging.getLogger(__name__)

_PROGRAM = """
import json, os, select, signal, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
worker, until, order = os.getppid(), None, {}
buffered = b""
while True:
    left = None if until is None else max(0.0, until - time.monotonic())
    if not select.select([0], [], [], left)[0]:
        try:
            if order["path"]:
                partial = order["path"] + ".partial"
                with open(partial, "w") as out:
                    out.write(order["text"])
                os.replace(partial, order["path"])
        except OSError:
            pass
        if os.getppid() == worker:
            os.kill(worker, signal.SIGKILL)
        break
    given = os.read(0, 65536)
    if not given:
        break
    *lines, buffered = (buffered + given).split(b"\\n")
    for line in lines:
        order = json.loads(line)
        until = None if order["seconds"] is None else time.monotonic() + order["seconds"]
"""


class _Guardian:
    """The process, started when it is first needed, and again if it died or this process is a fork of another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def order(self, seconds: float | None, path: str = "", text: str = "") -> bool:
        """Have it wait so long (None: for the next order) before it writes `text` to `path` and kills."""
        line = json.dumps({"seconds": seconds, "path": path, "text": text}).encode() + b"\n"
        with self._lock:
            try:
                return self._send(line)
            except OSError:
                log.warning("No process can be started to watch over this one; hangs may not be noticed")
                return False

    def _send(self, line: bytes) -> bool:
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            # -I -S: nothing of ours or of the user's is imported; it starts in a blink.
            command = [sys.executable, "-I", "-S", "-c", _PROGRAM]
            nowhere = subprocess.DEVNULL
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, cwd="/"
            )
            self._owner = os.getpid()
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()
        return True


_guardian = _Guardian()


@contextmanager
def killed_after(seconds: float, failure: StoragePath, record: dict[str, object]) -> Iterator[None]:
    """Have this process killed if the block takes longer than `seconds`, and `record` (JSON) written to `failure`.

    If `failure` lies in an object store it is not written, and what is known is that the worker died.
    """
    path = os.fspath(failure) if isinstance(failure, Path) else ""
    _guardian.order(seconds, path, json.dumps(record))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            _guardian.order(None)
