"""Noticing that one packet takes too long: what hangs in C cannot be interrupted, only left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

_CHECKS_PER_LIMIT = 4

_Item = TypeVar("_Item")


class _Watch:
    """When the step that is under way began, and a thread that looks at it."""

    def __init__(self, limit_s: float, give_up: Callable[[], None]) -> None:
        self._limit_s, self._give_up = limit_s, give_up
        self._ended = threading.Event()
        self.begun_s: float | None = None

    def start(self) -> None:
        threading.Thread(target=self._look, name="watchdog", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def _look(self) -> None:
        while not self._ended.wait(self._limit_s / _CHECKS_PER_LIMIT):
            begun_s = self.begun_s
            if begun_s is not None and time.monotonic() - begun_s > self._limit_s:
                self._give_up()
                return


_watch: ContextVar[_Watch | None] = ContextVar("watch", default=None)


@contextmanager
def step_limit(limit_s: float, give_up: Callable[[], None]) -> Iterator[None]:
    """Call `give_up`, on another thread, when a step within the block takes longer than `limit_s`."""
    watch = _Watch(limit_s, give_up)
    token = _watch.set(watch)
    watch.start()
    try:
        yield
    finally:
        watch.end()
        _watch.reset(token)


@contextmanager
def one_step() -> Iterator[None]:
    """A step that must end within the limit; free where no limit is set."""
    watch = _watch.get()
    if watch is None:
        yield
        return
    watch.begun_s = time.monotonic()
    try:
        yield
    finally:
        watch.begun_s = None


@contextmanager
def paused() -> Iterator[None]:
    """Time in which something else is waited for, such as storage; the step that is under way begins anew."""
    watch = _watch.get()
    if watch is None or watch.begun_s is None:
        yield
        return
    watch.begun_s = None
    try:
        yield
    finally:
        watch.begun_s = time.monotonic()


def stepwise(items: Iterable[_Item]) -> Iterator[_Item]:
    """`items`; getting each of them is one step."""
    iterator, end = iter(items), object()
    while True:
        with one_step():
            item = next(iterator, end)
        if item is end:
            return
        yield item  # type: ignore[misc]  # it is no `end`
