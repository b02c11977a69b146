from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

WORKER = """
import ctypes, os, signal, sys, time
from pathlib import Path
from anonflow.pipeline.guardian import _guardian, killed_after
with killed_after({seconds}, Path({failure!r}), {{"reason": "chunk_timeout"}}):
    print(_guardian._process.pid, flush=True)
    {hang}
print("survived", flush=True)
{after}
"""
HANGS = {
    "without giving the interpreter back": "ctypes.PyDLL(None).sleep(60)",
    "stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "asleep": "time.sleep(60)",
}


def worker(failure: Path, seconds: float, hang: str, after: str = "") -> subprocess.Popen[str]:
    code = WORKER.format(failure=str(failure), seconds=seconds, hang=hang, after=after)
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)


def is_gone(pid: int) -> bool:
    """Ended, or waiting for nobody but its parent to see it."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("hang", HANGS.values(), ids=HANGS)
def test_a_worker_in_which_nothing_can_run_is_killed_with_a_reason(tmp_path: Path, hang: str) -> None:
    process = worker(tmp_path / "failure.json", 0.3, hang)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL and "survived" not in printed
    assert json.loads((tmp_path / "failure.json").read_text()) == {"reason": "chunk_timeout"}
    assert [p.name for p in tmp_path.iterdir()] == ["failure.json"]
    assert is_gone(int(printed.split()[0])), "the guardian outlives its worker"


def test_a_worker_that_is_in_time_is_left_alone(tmp_path: Path) -> None:
    process = worker(tmp_path / "failure.json", 0.5, "pass", "time.sleep(1.2); print('still here')")
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "still here" in printed
    assert not list(tmp_path.iterdir())
    assert is_gone(int(printed.split()[0]))


def test_the_guardian_of_a_worker_that_was_killed_harms_nobody(tmp_path: Path) -> None:
    process = worker(tmp_path / "failure.json", 60, "time.sleep(60)")
    assert process.stdout is not None
    guardian = int(process.stdout.readline())
    process.kill()
    process.wait()
    assert is_gone(guardian) and not list(tmp_path.iterdir())


def test_a_worker_is_killed_even_when_the_reason_cannot_be_written(tmp_path: Path) -> None:
    process = worker(tmp_path / "nowhere" / "failure.json", 0.3, "time.sleep(60)")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
