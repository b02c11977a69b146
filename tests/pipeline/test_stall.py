from __future__ import annotations

import contextlib
import itertools
import logging
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.errors import StalledError
from anonflow.pipeline import stall
from anonflow.pipeline.stall import Signs, Stillness, until_still


class Clock:
    """Stands still until it is told."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def still_after(looks: list[tuple[float, Signs | None]], every_s: float = 10) -> float:
    """Seconds of stillness after looks, each so long after the one before it."""
    clock = Clock()
    still = Stillness(every_s, clock)
    for wait_s, signs in looks:
        clock.now_s += wait_s
        still.look(signs)
    return still.seconds


def idle(count: int) -> Signs:
    return Signs(count, is_busy=False)


def busy(count: int) -> Signs:
    return Signs(count, is_busy=True)


def test_it_is_counted_from_the_last_sign() -> None:
    assert still_after([(10, idle(1)), (10, idle(1)), (10, idle(2)), (10, idle(2)), (10, idle(2))]) == 20


def test_a_task_at_work_is_a_sign_as_long_as_it_is() -> None:
    assert still_after([(10, busy(1)), (10, busy(1)), (10, busy(1))]) == 0
    assert still_after([(10, busy(1)), (10, busy(1)), (10, idle(1))]) == 10


def test_not_to_know_is_no_sign() -> None:
    assert still_after([(10, idle(1)), (10, None), (10, None), (10, idle(1))]) == 30


def test_one_who_counts_from_the_beginning_again_gives_no_sign_by_that() -> None:
    assert still_after([(10, idle(7)), (10, idle(0)), (10, idle(0))]) == 20
    assert still_after([(10, idle(7)), (10, idle(0)), (10, idle(1))]) == 0


def test_time_in_which_nobody_could_look_does_not_count() -> None:
    assert still_after([(10, idle(1)), (86_400, idle(1))]) == 30, "a machine that slept for a night"


SIGNS = st.none() | st.builds(Signs, st.integers(0, 3), st.booleans())


@given(st.lists(st.tuples(st.floats(0, 100), SIGNS)))
def test_stillness_is_never_longer_than_the_time(looks: list[tuple[float, Signs | None]]) -> None:
    assert 0 <= still_after(looks) <= sum(wait_s for wait_s, _ in looks) + 1e-6


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stall, "_LOOK_EVERY_S", 0.01)


def slow_items(*waits_s: float) -> Iterator[int]:
    """A number after each of these times."""
    for number, wait_s in enumerate(waits_s):
        time.sleep(wait_s)
        yield number


def test_a_run_without_signs_is_ended_wherever_it_is() -> None:
    told = r"runtime\.stall_timeout_s.*same command again"
    items = until_still(slow_items(0, 60), lambda: idle(1), limit_s=0.3)
    assert next(items) == 0
    with pytest.raises(StalledError, match=told):
        next(items)


def test_a_run_whose_signs_nobody_can_give_is_ended() -> None:
    with pytest.raises(StalledError):
        next(until_still(slow_items(60), lambda: None, limit_s=0.3))


def test_a_run_that_gives_signs_goes_on() -> None:
    more = itertools.count()
    assert list(until_still(slow_items(1), lambda: idle(next(more)), limit_s=0.3)) == [0]


def test_items_that_come_are_signs() -> None:
    """Also where those who count them do not answer."""
    assert list(until_still(slow_items(*[0.2] * 5), lambda: None, limit_s=0.5)) == [0, 1, 2, 3, 4]


def test_while_an_item_is_worked_on_nothing_is_waited_for() -> None:
    for _ in until_still(slow_items(0, 0), lambda: idle(1), limit_s=0.1):
        time.sleep(0.5)


def test_an_end_that_somebody_swallowed_is_asked_for_again() -> None:
    def swallowing() -> Iterator[int]:
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(60)
        time.sleep(60)
        yield 1

    with pytest.raises(StalledError):
        next(until_still(swallowing(), lambda: idle(1), limit_s=0.3))


def failing() -> Iterator[int]:
    yield 1
    raise KeyError


@pytest.mark.parametrize("n_items", [1, 2])
def test_nothing_is_left_of_it(n_items: int) -> None:
    before = signal.getsignal(signal.SIGUSR2)
    items = until_still(failing(), lambda: idle(1), limit_s=1000)
    with contextlib.suppress(KeyError):
        for _ in range(n_items):
            next(items)
    items.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "stall"]
    assert signal.getsignal(signal.SIGUSR2) is before


def test_it_is_said_before(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "anonflow")
    with pytest.raises(StalledError):
        next(until_still(slow_items(60), lambda: idle(1), limit_s=0.4))
    assert [record.message[:24] for record in caplog.records] == ["Nothing has happened for"], "once"
