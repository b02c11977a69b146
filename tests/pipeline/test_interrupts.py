from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

import pytest

from anonflow.pipeline import interrupts
from anonflow.pipeline.interrupts import Interrupted, check, deferred, interruptible, restored, settle

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@SIGNALS
def test_a_signal_is_an_interrupt_that_knows_its_exit_code(number: signal.Signals) -> None:
    with interruptible(), pytest.raises(Interrupted) as caught:
        send(number)
    assert caught.value.exit_code == 128 + number


@SIGNALS
def test_the_next_signals_do_not_cut_the_clean_up_short(number: signal.Signals) -> None:
    cleaned = []
    with interruptible(), pytest.raises(Interrupted):
        try:
            send(signal.SIGTERM)
        finally:
            for step in range(3):
                send(number)
                cleaned.append(step)
    assert cleaned == [0, 1, 2]


def test_a_signal_whose_exception_was_swallowed_is_raised_by_the_next() -> None:
    with interruptible():
        with contextlib.suppress(KeyboardInterrupt):
            send(signal.SIGTERM)
        with pytest.raises(Interrupted):
            send(signal.SIGINT)


def test_a_signal_whose_exception_was_swallowed_is_found_by_the_check() -> None:
    with interruptible():
        check()
        with contextlib.suppress(KeyboardInterrupt):
            send(signal.SIGTERM)
        with pytest.raises(Interrupted) as caught:
            check()
    assert caught.value.exit_code == 143


@SIGNALS
def test_what_must_not_be_cut_short_is_finished_first(number: signal.Signals) -> None:
    cleaned = []
    with interruptible(), pytest.raises(Interrupted) as caught:
        with deferred():
            with deferred():
                send(number)
            send(signal.SIGTERM)
            cleaned.append("all of it")
        cleaned.append("more")
    assert cleaned == ["all of it"] and caught.value.exit_code == 128 + number


def test_one_that_has_come_before_stays_the_one_that_is_raised() -> None:
    with interruptible(), pytest.raises(Interrupted) as caught:
        try:
            send(signal.SIGINT)
        finally:
            with deferred():
                send(signal.SIGTERM)
    assert caught.value.exit_code == 130


def as_in_ray(number: int) -> None:
    """Its C code notices an exception that a handler raised, and raises another."""
    with contextlib.suppress(KeyboardInterrupt):
        send(number)
    raise KeyboardInterrupt


@SIGNALS
def test_what_another_put_in_its_place_is_restored(number: signal.Signals) -> None:
    cleaned = False
    with interruptible(), pytest.raises(Interrupted) as caught:
        try:
            with restored():
                as_in_ray(number)
        finally:
            send(signal.SIGINT)
            cleaned = True
    assert caught.value.exit_code == 128 + number and cleaned


def test_without_a_signal_nothing_is_made_of_an_interrupt() -> None:
    with interruptible(), pytest.raises(KeyboardInterrupt) as caught, restored():
        raise KeyboardInterrupt
    assert type(caught.value) is KeyboardInterrupt


def test_a_signal_is_forgotten_with_the_block_that_it_ended() -> None:
    """The next run of the process is another."""
    with contextlib.suppress(KeyboardInterrupt), interruptible():
        send(signal.SIGTERM)
    check()
    with pytest.raises(KeyboardInterrupt) as caught, restored():
        raise KeyboardInterrupt
    assert type(caught.value) is KeyboardInterrupt


def test_the_check_does_not_disturb_a_clean_up() -> None:
    with interruptible(), pytest.raises(Interrupted):
        try:
            send(signal.SIGTERM)
        finally:
            check()


def test_no_signal_is_raised_in_a_program_that_is_ending() -> None:
    with interruptible():
        with contextlib.suppress(KeyboardInterrupt):
            send(signal.SIGTERM)
        settle()
        send(signal.SIGTERM)
        check()
    with interruptible(), pytest.raises(Interrupted):
        send(signal.SIGTERM)


def test_a_block_within_a_block_changes_nothing() -> None:
    with interruptible():
        with interruptible():
            settle()
        send(signal.SIGTERM)


def test_handlers_are_put_back_and_signals_forgotten() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interruptible(), contextlib.suppress(KeyboardInterrupt):
        send(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
    with interruptible():
        check()


def test_another_thread_than_the_main_one_is_left_alone() -> None:
    entered = []

    def work() -> None:
        with interruptible():
            entered.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [before]


CLEAN_UP_THAT_HANGS = """
import contextlib, signal, sys, time
from anonflow.pipeline import interrupts
interrupts._END_WITHIN_S = 0.3
with interrupts.interruptible():
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        with interrupts.deferred():
            time.sleep(60)
"""

ATEXIT_THAT_CRASHES = """
import atexit, os, signal
from anonflow.pipeline import interrupts
atexit.register(os.kill, os.getpid(), signal.SIGSEGV)
print("said", end="")
interrupts.leave({code})
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_a_clean_up_that_hangs_does_not_keep_the_process() -> None:
    ended = run(CLEAN_UP_THAT_HANGS)
    assert ended.returncode == 143 and "left to the next run" in ended.stderr


def test_nobody_is_hurried_once_the_block_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_END_WITHIN_S", 0.05)
    with pytest.raises(Interrupted), interruptible():
        send(signal.SIGTERM)
    for thread in threading.enumerate():
        if thread.name == "hurry":
            thread.join()  # it would end this process


@pytest.mark.parametrize(("code", "ended"), [(0, -signal.SIGSEGV), (130, 130), (143, 143)])
def test_after_a_signal_nothing_at_the_interpreters_end_changes_the_exit_code(code: int, ended: int) -> None:
    left = run(ATEXIT_THAT_CRASHES.format(code=code))
    assert (left.returncode, left.stdout if ended > 0 else "said") == (ended, "said")
