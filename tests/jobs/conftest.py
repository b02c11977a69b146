"""What the tests of the jobs share."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator

import pytest
from hydra.core.hydra_config import HydraConfig


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """`launch` and Hydra change what belongs to the process: logging, a signal, the command line."""
    logs = [logging.getLogger(), logging.getLogger("anonflow")]
    kept = [(log.handlers[:], log.level, log.propagate) for log in logs]
    handler, argv = signal.getsignal(signal.SIGTERM), sys.argv
    yield
    for log, (handlers, level, propagate) in zip(logs, kept, strict=True):
        log.handlers[:], log.level, log.propagate = handlers, level, propagate
    signal.signal(signal.SIGTERM, handler)
    sys.argv = argv


@pytest.fixture(autouse=True)
def _no_command_line_of_another_test() -> None:
    """Hydra keeps what the last command line was."""
    HydraConfig.instance().cfg = None
