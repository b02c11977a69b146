from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.errors import StalledError
from anonflow.pipeline import stall
from anonflow.pipeline.stall import Stillness, ended_when_still


class Clock:
    """Stands still until it is told."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def still_after(looks: list[tuple[float, int | None]], every_s: float = 10) -> float:
    """Seconds of stillness after looks, each so long after the one before it."""
    clock = Clock()
    still = Stillness(every_s, clock)
    for wait_s, signs in looks:
        clock.now_s += wait_s
        still.look(signs)
    return still.seconds


def test_it_is_counted_from_the_last_sign() -> None:
    assert still_after([(10, 1), (10, 1), (10, 2), (10, 2), (10, 2)]) == 20


def test_not_to_know_is_no_sign() -> None:
    assert still_after([(10, 1), (10, None), (10, None), (10, 1)]) == 30


def test_one_who_counts_from_the_beginning_again_gives_no_sign_by_that() -> None:
    assert still_after([(10, 7), (10, 0), (10, 0)]) == 20
    assert still_after([(10, 7), (10, 0), (10, 1)]) == 0


def test_time_in_which_nobody_could_look_does_not_count() -> None:
    assert still_after([(10, 1), (86_400, 1)]) == 30, "a machine that slept for a night"


@given(st.lists(st.tuples(st.floats(0, 100), st.none() | st.integers(0, 3))))
def test_stillness_is_never_longer_than_the_time(looks: list[tuple[float, int | None]]) -> None:
    assert 0 <= still_after(looks) <= sum(wait_s for wait_s, _ in looks) + 1e-6


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stall, "_LOOK_EVERY_S", 0.01)


def test_a_run_without_signs_is_ended_wherever_it_is() -> None:
    told = r"runtime\.stall_timeout_s.*same command again"
    with pytest.raises(StalledError, match=told), ended_when_still(lambda: 1, limit_s=0.3):
        time.sleep(60)


def test_a_run_whose_signs_nobody_can_give_is_ended() -> None:
    with pytest.raises(StalledError), ended_when_still(lambda: None, limit_s=0.3):
        time.sleep(60)


def test_a_run_that_gives_signs_goes_on() -> None:
    more = itertools.count()
    with ended_when_still(lambda: next(more), limit_s=0.3):
        until = time.monotonic() + 1
        while time.monotonic() < until:
            time.sleep(0.01)


@pytest.mark.parametrize("keys", [["a"], []])
def test_nothing_is_left_of_it(keys: list[str]) -> None:
    with contextlib.suppress(KeyError), ended_when_still(lambda: 1, limit_s=1000):
        assert {"a": 1}[keys[0] if keys else "b"]
    assert not [thread for thread in threading.enumerate() if thread.name == "stall"]


def test_it_is_said_before(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "anonflow")
    with pytest.raises(StalledError), ended_when_still(lambda: 1, limit_s=0.4):
        time.sleep(60)
    assert [record.message[:24] for record in caplog.records] == ["Nothing has happened for"], "once"
