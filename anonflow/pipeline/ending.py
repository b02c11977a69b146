"""Ending what the main thread does from another thread, as Ctrl-C would: wherever it is, also where it waits.

A signal that the process sends to itself raises a KeyboardInterrupt there, which leaves the block as the named
error that the other thread gave. Blocks may lie in one another; the error leaves the one it was given for.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from anonflow.errors import AnonflowError

_END = signal.SIGUSR2


class Ended(KeyboardInterrupt):
    """On its way up to the block that another thread has ended."""

    reason = ""
    """That of the error, for what looks at it on its way."""


class Ending:
    """How another thread ends a block of the main thread."""

    def __init__(self, main: int | None) -> None:
        """Of a block that is at work in the thread `main`; None: not the main thread, which looks for itself."""
        self.error: AnonflowError | None = None
        self._main = main

    def end(self, error: AnonflowError) -> None:
        """Have the block end with `error`; where it is not the main thread's, at its next `check` or its end."""
        self.error = error
        Ended.reason = error.reason
        if self._main is not None:
            signal.pthread_kill(self._main, _END)

    def check(self) -> None:
        """Raise the error that the block is to end with, if there is one."""
        if self.error is not None:
            raise self.error


@contextmanager
def endable() -> Iterator[Ending]:
    """A block that another thread can end, as long as it runs: that thread is to be waited for in the block.

    Raises:
        AnonflowError: what the other thread gave.
    """
    main = threading.main_thread()
    is_main = threading.current_thread() is main
    before = signal.signal(_END, _on_signal) if is_main else None
    ending = Ending(main.ident if is_main else None)
    try:
        yield ending
    except KeyboardInterrupt as error:
        if type(error) in (Ended, KeyboardInterrupt):  # Ray raises the latter in place of the former
            ending.check()
        raise
    finally:
        if is_main:
            signal.signal(_END, before)
    ending.check()


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    raise Ended
