"""Ending a run in which nothing happens any more, where waiting on would be for nothing.

Every task that has begun has a time limit, and shows until then that it is at work. What has none is a task that
does not begin: its worker is killed while it starts, again and again, on a machine with too little memory; or
nothing is asked of workers any more, by a defect. Ray Data tries and waits for ever.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anonflow.errors import StalledError
from anonflow.observe.logs import told
from anonflow.pipeline.ending import endable

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 10.0
_LOOKS_A_LIMIT = 20
_WARN_AFTER_S = 300.0
_LONGEST_LOOK = 3
"""A look that takes longer than so many counts as they do: the machine slept, or this process stood still."""


class Stillness:
    """For how long the signs of life have been the same."""

    def __init__(self, look_every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """From now on, with looks about every `look_every_s`."""
        self._most_s, self._clock = look_every_s * _LONGEST_LOOK, clock
        self._signs: int | None = None
        self._looked = clock()
        self.seconds = 0.0

    def look(self, signs: int | None) -> None:
        """Take the count of signs of life; None if it is not known."""
        now = self._clock()
        self.seconds += min(now - self._looked, self._most_s)
        self._looked = now
        if signs is None:
            return
        if self._signs is None or signs > self._signs:
            self.seconds = 0.0
        self._signs = signs  # fewer than before: who counts them died and began again, which is no sign of life


@contextmanager
def ended_when_still(signs: Callable[[], int | None], limit_s: float) -> Iterator[None]:
    """End the block when `signs`, which counts signs of life (None: not known), has given no more for `limit_s`.

    Raises:
        StalledError: the block was ended, or is to be: outside of the main thread nothing ends it sooner.
    """
    every_s = min(_LOOK_EVERY_S, limit_s / _LOOKS_A_LIMIT)
    stop = threading.Event()

    def watch() -> None:
        still, warned = Stillness(every_s), False
        while not stop.wait(every_s):
            still.look(signs())
            if still.seconds >= limit_s:
                ending.end(_stalled(still.seconds))
                return
            is_long = still.seconds >= min(_WARN_AFTER_S, limit_s / 2)
            if is_long and not warned:
                _warn(still.seconds, limit_s)
            warned = is_long

    thread = threading.Thread(target=watch, daemon=True, name="stall")
    with endable() as ending:
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=every_s + _LOOK_EVERY_S)


def _warn(seconds: float, limit_s: float) -> None:
    log.warning(
        "Nothing has happened for %.0f s: no task begins, ends or is at work. Is there too little memory, or are "
        "nodes missing? The run waits, and ends after %.0f s of this (runtime.stall_timeout_s).",
        seconds,
        limit_s,
        extra=told("still", seconds=round(seconds), limit_s=limit_s),
    )


def _stalled(seconds: float) -> StalledError:
    return StalledError(
        f"Nothing has happened for {seconds:.0f} s (runtime.stall_timeout_s): no task began, ended or was at work. "
        "Most often workers are killed while they start, for want of memory, or nodes that are needed do not come. "
        "Nothing partial was published; give the run more memory or nodes, or fewer workers "
        "(runtime.*.max_workers), and run the same command again: it goes on from here."
    )
