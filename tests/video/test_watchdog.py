from __future__ import annotations

import threading

from anonflow.video.watchdog import one_step, step_limit, stepwise


def test_a_step_that_hangs_is_noticed_while_it_hangs() -> None:
    noticed = threading.Event()
    with step_limit(0.05, noticed.set), one_step():
        assert noticed.wait(20)


def test_an_item_that_does_not_come_is_noticed() -> None:
    noticed = threading.Event()

    def items():
        yield 1
        assert noticed.wait(20)
        yield 2

    with step_limit(0.05, noticed.set):
        assert list(stepwise(items())) == [1, 2]


def test_time_between_steps_does_not_count() -> None:
    noticed = threading.Event()
    with step_limit(0.05, noticed.set):
        for _ in stepwise([1, 2]):
            assert not noticed.wait(0.2)
        with one_step():
            pass
        assert not noticed.wait(0.2)


def test_the_thread_ends_with_the_block_and_nothing_is_watched_outside() -> None:
    noticed = threading.Event()
    with step_limit(0.05, noticed.set):
        pass
    with one_step():
        assert not noticed.wait(0.3)
    assert list(stepwise([])) == []
    assert not [t for t in threading.enumerate() if t.name == "watchdog"]
