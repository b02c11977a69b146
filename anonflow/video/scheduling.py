"""Encoders may not make their process more urgent than its neighbours.

SVT-AV1 asks for SCHED_FIFO at the highest priority when it is opened, for its threads and the one that opens it;
as root it gets that. Everything such a worker starts later inherits it, and whatever else runs there starves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_THREADS = Path("/proc/self/task")


@contextmanager
def usual_scheduling() -> Iterator[None]:
    """After the block, give all threads of this process the scheduling that this one had before (on Linux)."""
    if not _THREADS.exists():
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        for thread in _THREADS.iterdir():
            with suppress(ProcessLookupError):  # it has ended meanwhile
                if os.sched_getscheduler(int(thread.name)) != policy:
                    os.sched_setscheduler(int(thread.name), policy, parameters)
