from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from anonflow.pipeline.process import Life, Process

pytestmark = pytest.mark.skipif(not Process.own().place, reason="needs /proc")


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def named(pid: int) -> Process:
    """The name that a process would give itself."""
    stat = open(f"/proc/{pid}/stat").read()  # noqa: PTH123, SIM115
    return replace(Process.own(), pid=pid, started_ticks=int(stat.rpartition(")")[2].split()[19]))


def test_this_process_is_alive() -> None:
    assert Process.own().life() is Life.ALIVE


def test_a_process_that_ended_is_gone_even_before_its_parent_notices(child) -> None:
    process = named(child.pid)
    assert process.life() is Life.ALIVE
    child.kill()
    subprocess.run(["sleep", "0.1"], check=True)
    assert process.life() is Life.GONE, "a zombie"
    child.wait()
    assert process.life() is Life.GONE


def test_another_process_with_the_same_id_is_not_the_same() -> None:
    own = Process.own()
    assert replace(own, started_ticks=own.started_ticks - 1).life() is Life.GONE


@pytest.mark.parametrize("place", ["", "another boot pid:[4026531836]"])
def test_of_other_machines_and_containers_nothing_is_known(place: str) -> None:
    """A process id means something else there, whether or not it is in use here."""
    assert replace(Process.own(), place=place).life() is Life.UNKNOWN
    assert replace(Process.own(), place=place, pid=2**22).life() is Life.UNKNOWN
