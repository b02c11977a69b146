"""Telling whether the process that wrote a name is still there, as far as this machine can know.

A process id says little by itself: it is given again, and means other processes in other containers. With the
machine's boot, the namespace of process ids and the time at which the process started, it names one for ever.
"""

from __future__ import annotations

import enum
import os
import socket
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ENDED = {"Z", "X"}
"""States of a process that runs no more: zombie, dead."""


class Life(enum.Enum):
    """What is known of a process."""

    ALIVE = enum.auto()
    GONE = enum.auto()
    UNKNOWN = enum.auto()
    """It belongs to another machine or container."""


@dataclass(frozen=True)
class Process:
    """A name for a process that no other has. Empty where the system has no /proc."""

    host: str
    pid: int
    place: str
    """Boot of the machine and namespace of process ids."""
    started_ticks: int
    """Since the machine's boot."""

    @classmethod
    def own(cls) -> Process:
        """The name of this process."""
        pid = os.getpid()
        return cls(socket.gethostname(), pid, _place(), (_stat(pid) or ("", 0))[1])

    def life(self) -> Life:
        """Whether it runs."""
        if not self.place or self.place != _place():
            return Life.UNKNOWN
        found = _stat(self.pid)
        is_it = found is not None and found[0] not in _ENDED and found[1] == self.started_ticks
        return Life.ALIVE if is_it else Life.GONE


def _place() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _stat(pid: int) -> tuple[str, int] | None:
    """State of a process, and when it started; None if there is none. The name in between may hold anything."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[19])
