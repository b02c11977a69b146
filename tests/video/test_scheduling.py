from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from anonflow.video.scheduling import usual_scheduling

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="schedulers as Linux has them")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may be more urgent than others")


def policies() -> set[int]:
    """Schedulers of all threads of this process."""
    return {os.sched_getscheduler(int(thread.name)) for thread in Path("/proc/self/task").iterdir()}


@AS_ROOT
def test_what_a_block_did_to_any_thread_is_taken_back() -> None:
    end = threading.Event()
    with pytest.raises(ZeroDivisionError), usual_scheduling():
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
        other = threading.Thread(target=end.wait)  # inherits it
        other.start()
        assert os.sched_getscheduler(other.native_id or 0) == os.SCHED_FIFO
        raise ZeroDivisionError
    assert policies() == {os.SCHED_OTHER}
    end.set()
    other.join()


def test_a_process_that_was_started_as_a_batch_stays_one() -> None:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        with usual_scheduling():
            pass
        assert os.sched_getscheduler(0) == os.SCHED_BATCH
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
