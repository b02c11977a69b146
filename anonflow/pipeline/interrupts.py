"""SIGINT and SIGTERM as exceptions raised once: what cleans up after the first signal is not cut short by the next.

A signal's exception rises wherever the program happens to be, also where code of others swallows it. So a signal
counts as dealt with only while its exception is alive (on its way up, or being handled); if it is gone and the
program still runs, the next signal raises again, and so does `check`.

What cleans up may hang, too: a store that does not answer, Ray. The process is ended then, before whoever sent the
signal kills it; a rerun cleans up after that as after any process that was killed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, NoReturn

from anonflow.observe.logs import told

log = logging.getLogger(__name__)

HANDLED = (signal.SIGINT, signal.SIGTERM)
_END_WITHIN_S = 25.0
"""Kubernetes and systemd give 30 s or more."""
_SAY_WITHIN_S = 2.0
_OVER = -1


class Interrupted(KeyboardInterrupt):
    """The process was asked to end: by Ctrl-C, or with a grace period by whatever runs it."""

    def __init__(self, signal_number: int) -> None:
        """Remember by which signal."""
        super().__init__(signal_number)
        self.exit_code = 128 + signal_number
        """What a shell gives for a process that a signal ended."""


class _State:
    """Of this process: which signal has come, and the exception that tells of it."""

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self.raised: weakref.ref[Interrupted] | None = None
        self.is_settled = False
        self.n_deferring = 0
        self.hurry: SimpleQueue[int] | None = None
        """Takes the exit code of a process that is to end; a handler may do no more, as it may run anywhere."""

    def is_on_its_way(self) -> bool:
        return self.raised is not None and self.raised() is not None

    def interrupt(self) -> None:
        assert self.signal_number is not None
        error = Interrupted(self.signal_number)
        self.raised = weakref.ref(error)
        try:
            raise error
        finally:
            del error  # this frame is in its traceback: it would keep itself alive


_state = _State()


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` in the block when the first signal comes. Handlers are put back afterwards.

    Within such a block another one changes nothing.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is _on_signal:
        yield
        return
    before = {number: signal.signal(number, _on_signal) for number in HANDLED}
    _state.signal_number, _state.raised, _state.is_settled = None, None, False
    hurry: SimpleQueue[int] = SimpleQueue()
    _state.hurry = hurry
    threading.Thread(target=_force, args=(hurry,), daemon=True, name="hurry").start()
    try:
        yield
    finally:
        _state.signal_number = None
        hurry.put(_OVER)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def restored() -> Iterator[None]:
    """Have a signal be `Interrupted` also where C code waited: Ray raises a KeyboardInterrupt in its place."""
    try:
        yield
    except KeyboardInterrupt as error:
        if type(error) is KeyboardInterrupt and _state.signal_number is not None:
            _state.interrupt()
        raise


@contextmanager
def deferred() -> Iterator[None]:
    """Have a signal that comes in the block be raised at its end: a clean-up half done is none, or crashes Ray."""
    _state.n_deferring += 1
    try:
        yield
    finally:
        _state.n_deferring -= 1
        check()


def is_deferring() -> bool:
    """Whether nothing is to be raised now that is no failure of what is being done."""
    return _state.n_deferring > 0


def check() -> None:
    """Raise `Interrupted` if a signal has come whose exception went astray."""
    is_due = _state.signal_number is not None and not _state.is_on_its_way()
    if is_due and not _state.is_settled and not is_deferring():
        _state.interrupt()


def settle() -> None:
    """The program is ending: what signals ask for is being done, and none is raised in the rest of the block."""
    _state.is_settled = True


def _on_signal(number: int, _frame: FrameType | None) -> Any:
    if _state.is_on_its_way() or _state.is_settled:
        return
    if _state.hurry is not None:
        _state.hurry.put(128 + number)
    if is_deferring():
        _state.signal_number = _state.signal_number or number
        return
    _state.signal_number = number
    _state.interrupt()


def leave(code: int) -> NoReturn:
    """End the process with that exit code.

    After a signal, without the interpreter's own end: what Ray had begun may crash in it, and the code be another.
    """
    if code in [128 + number for number in HANDLED]:
        _exit(code)
    sys.exit(code)


def _force(hurry: SimpleQueue[int]) -> None:
    """Once told to hurry, end the process unless the block is over in time."""
    if (code := hurry.get()) == _OVER:
        return
    until = time.monotonic() + _END_WITHIN_S
    while (left_s := until - time.monotonic()) > 0:
        with contextlib.suppress(Empty):
            if hurry.get(timeout=left_s) == _OVER:
                return
    last = threading.Timer(_SAY_WITHIN_S, os._exit, (code,))  # whoever reads what is printed may hang, too
    last.daemon = True
    last.start()
    log.error(
        "Cleaning up takes longer than %g s, and is left to the next run. Nothing partial was published.",
        _END_WITHIN_S,
        extra=told("forced", seconds=_END_WITHIN_S),
    )
    _exit(code)


def _exit(code: int) -> NoReturn:
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
