"""Who may write to a folder: one run at a time, from whatever machine, on a shared folder or in a bucket.

    FOLDER/000012.json

The file with the highest number says who holds the folder. Its owner writes it again and again with a higher
count. Somebody else takes over by creating the file with the next number, which succeeds once, when the owner has
released it, when it names a process of this machine that is gone, or when its count has stood still for `lease_s`
by the challenger's own monotonic clock. Times of day, which machines disagree about, decide nothing. An owner that
was taken for dead and is not (a stopped machine, a network that was cut) finds the higher number, and stops.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anonflow.claims import create_exclusive
from anonflow.errors import ConfigError, LeaseLostError, StorageError
from anonflow.pipeline.ending import Ending, endable
from anonflow.pipeline.interrupts import deferred
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.pipeline.process import Life, Process
from anonflow.storage import StoragePath, canonical_json, naming_storage_errors, write_bytes

log = logging.getLogger(__name__)

LEASE_FOLDER = "lease"
_BEATS_A_LEASE = 3
_LOOKS_A_LEASE = 12


@dataclass(frozen=True)
class Holder:
    """What a lease file says."""

    run_id: str
    process: Process
    since: str
    beat: int = 0
    is_released: bool = False

    @classmethod
    def own(cls, run_id: str) -> Holder:
        """This process, for that run."""
        return cls(run_id, Process.own(), datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def from_bytes(cls, content: bytes) -> Holder:
        """What `to_bytes` gave."""
        value: dict[str, Any] = json.loads(content)
        return cls(**{**value, "process": Process(**value["process"])})

    def to_bytes(self) -> bytes:
        """As a lease file holds it."""
        return f"{canonical_json(asdict(self))}\n".encode()

    def __str__(self) -> str:
        return f"run {self.run_id} on {self.process.host}, process {self.process.pid}, since {self.since}"


@dataclass(frozen=True)
class Claim:
    """The lease file that counts now."""

    number: int
    holder: Holder | None
    """None: the file cannot be read just now."""

    @property
    def is_free(self) -> bool:
        """Whether it can be taken over at once."""
        if self.holder is None:
            return False
        return self.holder.is_released or self.holder.process.life() is Life.GONE


@contextmanager
def held(folders: Iterable[StoragePath], run_id: str, lease_s: float) -> Iterator[Hold]:
    """Hold the leases of all `folders` within the block, in their order.

    In the main thread, the block is ended by LeaseLostError as soon as the loss of one is known.

    Raises:
        ConfigError: another run holds one of them.
        LeaseLostError: one was taken over during the block.
    """
    taken: list[Lease] = []
    try:
        for folder in folders:
            taken.append(Lease.take(folder, run_id, lease_s))
        with _beating(taken, lease_s) as hold:
            yield hold
    finally:
        for lease in taken:
            lease.release()


def output_lease(output: StoragePath) -> StoragePath:
    """Where the lease of an output folder lies."""
    return output / CONTROL_FOLDER / LEASE_FOLDER


def work_lease(work: StoragePath) -> StoragePath:
    """Where the lease of a work folder lies. That of one inside of an output, or that is one, is the output's."""
    if work.parent.name == CONTROL_FOLDER:
        return work.parent / LEASE_FOLDER
    return output_lease(work) if (work / CONTROL_FOLDER).exists() else work / LEASE_FOLDER


class Lease:
    """The lease of one folder, taken by this process."""

    def __init__(self, folder: StoragePath, number: int, holder: Holder) -> None:
        """For a file that this process created."""
        self._folder, self.number, self._holder = folder, number, holder

    @classmethod
    def take(cls, folder: StoragePath, run_id: str, lease_s: float) -> Lease:
        """Create the next file.

        Raises:
            ConfigError: another run holds the folder.
        """
        while True:
            claim = current_claim(folder)
            if claim and not claim.is_free and (owner := _live_owner(folder, claim, lease_s)):
                raise ConfigError(
                    f"Another run is using {folder.parent}: {owner}. Wait for it to end, or choose another folder."
                )
            lease = cls(folder, claim.number + 1 if claim else 1, Holder.own(run_id))
            if create_exclusive(lease._path, lease._holder.to_bytes()) and lease.is_own():
                lease._remove_older()
                return lease

    @property
    def _path(self) -> StoragePath:
        return _lease_path(self._folder, self.number)

    def is_own(self) -> bool:
        """Whether the file is there and none has a higher number."""
        return max(_numbers(self._folder), default=0) == self.number

    def require(self) -> None:
        """Raise LeaseLostError if somebody took over."""
        if not self.is_own():
            raise LeaseLostError(
                f"Another run took over {self._folder.parent}, as this one gave no sign of life for a while (its "
                "machine or its storage stood still). This run stops; what it published stays. Run again after the "
                "other."
            )

    def beat(self) -> None:
        """Show that this process is alive.

        Raises:
            LeaseLostError: somebody took over.
        """
        self.require()
        self._holder = replace(self._holder, beat=self._holder.beat + 1)
        write_bytes(self._path, self._holder.to_bytes())

    def release(self) -> None:
        """Say that the folder is free, unless it is another's by now."""
        try:
            if self.is_own():
                write_bytes(self._path, replace(self._holder, is_released=True).to_bytes())
        except (StorageError, OSError) as error:
            log.warning("The lease of %s could not be released, and will expire: %s", self._folder.parent, error)

    def _remove_older(self) -> None:
        with naming_storage_errors(self._folder):
            for number in _numbers(self._folder):
                if number < self.number:
                    _lease_path(self._folder, number).unlink(missing_ok=True)


@dataclass(frozen=True)
class Hold:
    """Leases that are held, and the end of the block that holds them once one is lost."""

    leases: list[Lease]
    ending: Ending

    @property
    def is_lost(self) -> bool:
        """Whether the loss of a lease is known."""
        return self.ending.error is not None

    def check(self) -> None:
        """Raise LeaseLostError if the loss of a lease is known."""
        self.ending.check()

    def confirm(self) -> None:
        """Look, and raise LeaseLostError if one is lost. Before anything that would destroy another run's work."""
        for lease in self.leases:
            lease.require()


def current_claim(folder: StoragePath) -> Claim | None:
    """The lease file of a folder that counts; None if there is none."""
    number = max(_numbers(folder), default=0)
    if not number:
        return None
    try:
        return Claim(number, Holder.from_bytes(_lease_path(folder, number).read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):  # removed or replaced while we looked, or half visible
        return Claim(number, None)


def live_holder(folder: StoragePath, lease_s: float) -> Holder | None:
    """Who holds a folder; None if nobody does. It may take `lease_s` to know of another machine's process."""
    claim = current_claim(folder)
    if claim is None or claim.is_free:
        return None
    owner = _live_owner(folder, claim, lease_s)
    return owner if isinstance(owner, Holder) else None


def _live_owner(folder: StoragePath, first: Claim, lease_s: float) -> Holder | str | None:
    """Who shows to be alive: a process of this machine at once, another by its count; None after `lease_s`."""
    if first.holder and first.holder.process.life() is Life.ALIVE:
        return first.holder
    until = time.monotonic() + lease_s
    while time.monotonic() < until:
        time.sleep(lease_s / _LOOKS_A_LEASE)
        _look_afresh(folder)
        claim = current_claim(folder)
        if claim is None or claim.is_free:
            return None
        if first.holder is None and claim.number == first.number:
            first = claim  # what was replaced while we looked
        if claim != first:
            return claim.holder or "one that has just begun"
    return None


def _look_afresh(folder: StoragePath) -> None:
    """Have the next look see what others wrote: an NFS client trusts its memory of a folder until it changes it."""
    if not isinstance(folder, Path):
        return
    probe = folder / f"look-{threading.get_ident()}-{time.monotonic_ns()}"
    if create_exclusive(probe, b""):
        probe.unlink(missing_ok=True)


@contextmanager
def _beating(leases: list[Lease], lease_s: float) -> Iterator[Hold]:
    """Beat in a thread while the caller's block runs."""
    stop = threading.Event()

    def beat() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # see cluster
        while not stop.wait(lease_s / _BEATS_A_LEASE):
            try:
                for lease in leases:
                    lease.beat()
            except LeaseLostError as error:
                if not stop.is_set():
                    ending.end(error)
                return
            except (StorageError, OSError) as error:  # it may stand still for a while, for challengers, too
                log.warning("The lease could not be renewed, trying again: %s", error)

    thread = threading.Thread(target=beat, daemon=True, name="lease")
    with endable() as ending:
        thread.start()
        try:
            yield Hold(leases, ending)
        finally:
            with deferred():
                stop.set()
                thread.join(timeout=lease_s)


def _numbers(folder: StoragePath) -> list[int]:
    with naming_storage_errors(folder):
        try:
            return [int(path.stem) for path in folder.iterdir() if path.suffix == ".json" and path.stem.isdigit()]
        except FileNotFoundError:
            return []


def _lease_path(folder: StoragePath, number: int) -> StoragePath:
    return folder / f"{number:06d}.json"
