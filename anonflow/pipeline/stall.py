"""Ending a run in which nothing happens any more, where waiting on would be for nothing.

Every task that has begun has a time limit, and is at work until then. What has none is a task that does not begin:
its worker is killed while it starts, again and again, on a machine with too little memory; or nothing is asked of
workers any more, by a defect. Ray Data tries and waits for ever.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from anonflow.errors import StalledError
from anonflow.observe.logs import told
from anonflow.pipeline.ending import Ending, endable
from anonflow.pipeline.interrupts import deferred

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 10.0
_LOOKS_A_LIMIT = 20
_WARN_AFTER_S = 300.0
_LONGEST_LOOK = 3
"""A look that takes longer than so many counts as they do: the machine slept, or this process stood still."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class Signs:
    """Of life: how often anything was told, and whether a task is at work within its time limit."""

    told: int
    is_busy: bool


class Stillness:
    """For how long there was no sign of life."""

    def __init__(self, look_every_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """From now on, with looks about every `look_every_s`."""
        self._most_s, self._clock = look_every_s * _LONGEST_LOOK, clock
        self._told: int | None = None
        self._looked = clock()
        self.seconds = 0.0

    def look(self, signs: Signs | None) -> None:
        """Take what is known; None: nobody answers."""
        now = self._clock()
        self.seconds += min(now - self._looked, self._most_s)
        self._looked = now
        if signs is None:
            return
        if signs.is_busy or self._told is None or signs.told > self._told:
            self.seconds = 0.0
        self._told = signs.told  # less than before: who counts died and began again, which is no sign of life


def until_still(
    items: Iterator[Item], signs: Callable[[], Signs | None], limit_s: float
) -> Generator[Item, None, None]:
    """Give `items`, as long as none is waited for for `limit_s` without a sign of life.

    Raises:
        StalledError: that long has passed. Only the main thread can be ended where it waits.
    """
    watch = _Watch(signs, limit_s)
    with watch.watching():
        while True:
            with watch.waiting():
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item


class _Watch:
    """A thread that looks for signs of life while an item is waited for."""

    def __init__(self, signs: Callable[[], Signs | None], limit_s: float) -> None:
        self._signs, self._limit_s = signs, limit_s
        self._every_s = min(_LOOK_EVERY_S, limit_s / _LOOKS_A_LIMIT)
        self._stop = threading.Event()
        self._ending: Ending | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look, daemon=True, name="stall")
        thread.start()
        try:
            yield
        finally:
            with deferred():
                self._stop.set()
                thread.join(timeout=_LOOK_EVERY_S)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        with endable() as self._ending:
            yield

    def _look(self) -> None:
        waited_for, still, is_told = self._ending, Stillness(self._every_s), False
        while not self._stop.wait(self._every_s):
            if self._ending is not waited_for:  # an item has come, the best sign of all
                waited_for, still, is_told = self._ending, Stillness(self._every_s), False
            still.look(self._signs())
            if still.seconds >= self._limit_s and waited_for is not None and not self._stop.is_set():
                waited_for.end(_stalled(still.seconds))
            is_long = still.seconds >= min(_WARN_AFTER_S, self._limit_s / 2)
            if is_long and not is_told:
                _warn(still.seconds, self._limit_s)
            is_told = is_long


def _warn(seconds: float, limit_s: float) -> None:
    log.warning(
        "Nothing has happened for %.0f s: no task begins or is at work. Is there too little memory, or are nodes "
        "missing? The run waits, and ends after %.0f s of this (runtime.stall_timeout_s).",
        seconds,
        limit_s,
        extra=told("still", seconds=round(seconds), limit_s=limit_s),
    )


def _stalled(seconds: float) -> StalledError:
    return StalledError(
        f"Nothing has happened for {seconds:.0f} s (runtime.stall_timeout_s): no task began or was at work. Most "
        "often workers are killed while they start, for want of memory, or nodes that are needed do not come. "
        "Nothing partial was published; give the run more memory or nodes, or fewer workers "
        "(runtime.*.max_workers), and run the same command again: it goes on from here."
    )
