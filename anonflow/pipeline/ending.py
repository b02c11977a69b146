"""Ending what the main thread does from another thread, as Ctrl-C would: wherever it is, also where it waits.

A signal that the process sends to itself raises a KeyboardInterrupt there, which leaves the block as the named
error that the other thread gave. Blocks may lie in one another; the error leaves the one it was given for.
"""

from __future__ import annotations

import signal
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from anonflow.errors import AnonflowError
from anonflow.pipeline.interrupts import is_deferring

_END = signal.SIGUSR2


class Ended(KeyboardInterrupt):
    """On its way up to the block that another thread has ended."""

    def __init__(self, reason: str) -> None:
        """In place of an error of that reason, for what looks at it on its way."""
        super().__init__(reason)
        self.reason = reason


class Ending:
    """How another thread ends a block of the main thread."""

    def __init__(self, main: int | None) -> None:
        """Of a block that is at work in the thread `main`; None: not the main thread, which looks for itself."""
        self.error: AnonflowError | None = None
        self.raised: weakref.ref[Ended] | None = None
        self._main = main
        self._lock = threading.Lock()
        self._is_over = False

    def end(self, error: AnonflowError) -> None:
        """Have the block end with `error`; where it is not the main thread's, at its next `check` or its end.

        Nothing happens if the block is over, or is about to end like that. To be said again where code of others
        may swallow the exception.
        """
        with self._lock:
            if self._is_over or (self.raised is not None and self.raised() is not None):
                return
            self.error = error
            if self._main is not None:
                _latest.append(self)
                signal.pthread_kill(self._main, _END)

    def close(self) -> None:
        """Have `end` do nothing any more."""
        with self._lock:
            self._is_over = True

    def check(self) -> None:
        """Raise the error that the block is to end with, if there is one."""
        if self.error is not None:
            raise self.error


@contextmanager
def endable() -> Iterator[Ending]:
    """A block that another thread can end.

    Raises:
        AnonflowError: what the other thread gave.
    """
    main = threading.main_thread()
    is_main = threading.current_thread() is main
    before = signal.signal(_END, _on_signal) if is_main else None
    ending = Ending(main.ident if is_main else None)
    try:
        try:
            yield ending
        finally:
            ending.close()
    except KeyboardInterrupt as error:
        if type(error) in (Ended, KeyboardInterrupt):  # Ray raises the latter in place of the former
            ending.check()
        raise
    finally:
        ending.close()  # the first may have been what was interrupted
        if is_main:
            signal.signal(_END, before)
    ending.check()


_latest: deque[Ending] = deque(maxlen=1)
"""The block that the last signal was for."""


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    ending = _latest[-1] if _latest else None
    error = Ended("" if ending is None or ending.error is None else ending.error.reason)
    if ending is not None:
        ending.raised = weakref.ref(error)
    if is_deferring():
        return  # the block's own check raises what it ends with
    try:
        raise error
    finally:
        del error  # this frame is in its traceback: it would keep itself alive
