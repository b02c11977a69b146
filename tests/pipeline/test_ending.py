from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable

import pytest

from anonflow.errors import AnonflowError, LeaseLostError, StalledError
from anonflow.pipeline.ending import Ended, Ending, endable
from anonflow.pipeline.interrupts import deferred


def soon(do: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=lambda: (time.sleep(0.05), do(), None)[-1], daemon=True)
    thread.start()
    return thread


def test_the_main_thread_is_ended_where_it_waits() -> None:
    with pytest.raises(StalledError, match="why"), endable() as ending:
        soon(lambda: ending.end(StalledError("why")))
        time.sleep(60)


def test_what_is_on_its_way_up_knows_the_reason() -> None:
    reasons = []
    with pytest.raises(StalledError), endable() as ending:
        try:
            ending.end(StalledError("why"))
            time.sleep(60)
        except Ended as error:
            reasons.append(error.reason)
            raise
    assert reasons == [StalledError.reason]


def test_of_blocks_in_one_another_the_one_that_was_meant_ends() -> None:
    left = []
    with pytest.raises(LeaseLostError), endable() as outer:
        try:
            with endable():
                soon(lambda: outer.end(LeaseLostError("outer")))
                time.sleep(60)
        except BaseException as error:
            left.append(type(error))
            raise
    assert left == [Ended], "the inner block lets it through as it is"


def test_an_interrupt_that_took_the_place_of_ours_is_taken_for_it() -> None:
    with pytest.raises(StalledError), endable() as ending:
        with contextlib.suppress(Ended):
            ending.end(StalledError("why"))
            time.sleep(60)
        raise KeyboardInterrupt


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_the_block_raises_itself_stays_what_it_is(error: type[BaseException]) -> None:
    with pytest.raises(error), endable():
        raise error


def test_an_end_whose_exception_was_swallowed_is_raised_at_the_end_of_the_block() -> None:
    with pytest.raises(StalledError), endable() as ending, contextlib.suppress(Ended):
        ending.end(StalledError("why"))
        time.sleep(60)


def test_outside_of_the_main_thread_the_check_tells() -> None:
    caught: list[AnonflowError] = []

    def work(ending: Ending) -> None:
        while True:
            ending.check()
            time.sleep(0.01)

    def run() -> None:
        try:
            with endable() as ending:
                soon(lambda: ending.end(StalledError("why")))
                work(ending)
        except StalledError as error:
            caught.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=60)
    assert [str(error) for error in caught] == ["why"]


def test_an_end_that_somebody_swallowed_can_be_asked_for_again() -> None:
    with pytest.raises(StalledError, match="again"), endable() as ending:
        with contextlib.suppress(Ended):
            ending.end(StalledError("first"))
            time.sleep(60)
        ending.end(StalledError("again"))
        time.sleep(60)


def test_one_that_is_on_its_way_is_not_cut_short_by_the_next() -> None:
    cleaned = []
    with pytest.raises(StalledError, match="first"), endable() as ending:
        try:
            ending.end(StalledError("first"))
            time.sleep(60)
        finally:
            for step in range(3):
                ending.end(StalledError("next"))
                cleaned.append(step)
    assert cleaned == [0, 1, 2]


def test_a_block_that_is_over_cannot_be_ended() -> None:
    with endable() as ending:
        pass
    ending.end(StalledError("late"))  # by the signal's default, the process


def test_it_waits_for_what_must_not_be_cut_short() -> None:
    cleaned = []
    with pytest.raises(StalledError), endable() as ending, deferred():
        ending.end(StalledError("why"))
        cleaned.append(True)
    assert cleaned


def test_signals_are_as_they_were() -> None:
    before = signal.getsignal(signal.SIGUSR2)
    with endable(), endable():
        assert signal.getsignal(signal.SIGUSR2) is not before
    assert signal.getsignal(signal.SIGUSR2) is before
