"""The fidelity contract of finished outputs, checked anew: nothing is taken from the run but its hashes."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np

from anonflow.assure.pairs import Pair
from anonflow.config import AudioConfig, LimitsConfig, PictureConfig, SourceConfig, VideoConfig, VideoRegions
from anonflow.errors import SourceError
from anonflow.mask.regions import regions_for
from anonflow.picture.contract import inspect as inspect_picture
from anonflow.picture.still import open_picture, read_picture
from anonflow.storage import file_sha256
from anonflow.types import Check, FrameIndex, Verdict
from anonflow.video.carry import CarryPolicy
from anonflow.video.contract import inspect
from anonflow.video.contract.check import check
from anonflow.video.damage import mark_damage
from anonflow.video.encoders import choose_encoding
from anonflow.video.probe import probe
from anonflow.video.watchdog import step_limit

log = logging.getLogger(__name__)

_EXIT_AFTER_LIMIT = 70
_AHEAD = 4
"""Pairs handed out for each process: no more are looked up before they are needed."""


@dataclass(frozen=True)
class Agreed:
    """What was configured when the outputs were made: it says which changes are meant."""

    source: SourceConfig
    limits: LimitsConfig
    video: VideoConfig
    audio: AudioConfig
    picture: PictureConfig
    regions: tuple[VideoRegions, ...] = ()
    compares_sources: bool = True
    """False: outputs are compared with the ledger's hashes only."""

    def index(self, path: Path) -> FrameIndex:
        """That of a source, its damaged frames marked if they were to be hidden. Raises what `probe` does."""
        index = probe(path, self.limits, keeps_damaged=self.source.hides_damage)
        return mark_damage(path, index) if self.source.hides_damage else index

    def policy(self, name: str) -> CarryPolicy:
        """What is kept of the source with that path below the input."""
        mute = [span for entry in regions_for(self.regions, name) for span in entry.mute]
        return CarryPolicy.of(self.video, self.audio, mute)


@dataclass(frozen=True)
class Verified:
    """What was found of one pair."""

    name: str
    checks: tuple[Check, ...]
    found_sha256: str = ""
    """Of an output that is not what was published."""

    @property
    def holds(self) -> bool:
        """Whether nothing is broken."""
        return not self.broken

    @property
    def is_not_compared(self) -> bool:
        """Whether the source was not looked at."""
        return any(point.verdict is Verdict.NOT_COMPARED for point in self.checks)

    @property
    def broken(self) -> tuple[Check, ...]:
        """The points that do not hold."""
        return tuple(point for point in self.checks if point.verdict is Verdict.BROKEN)


_NOT_COMPARED = Check("source", Verdict.NOT_COMPARED, "the output was compared with the ledger's hash only")
_Task: TypeAlias = Callable[[Pair], Verified]


def verify_all(pairs: Iterable[Pair], agreed: Agreed, workers: int) -> Iterator[Verified]:
    """Verify the pairs, in their order, in as many processes. One that dies or hangs costs its own pair only.

    What only hashes needs no process that could be left: threads do.
    """
    decodes = agreed.compares_sources
    task, left = partial(_watched if decodes else _caught, agreed=agreed), iter(pairs)
    while first := list(islice(left, _AHEAD * workers)):
        with _processes(workers) if decodes else ThreadPoolExecutor(workers) as pool:
            window = deque((pair, _submitted(pool, task, pair)) for pair in first)
            is_broken = False
            while window:
                pair, ended = window.popleft()
                try:
                    yield ended.result()
                except BrokenProcessPool:
                    is_broken = True  # all that were under way end so: which one it was, each shows for itself
                    yield _alone(task, pair)
                if not is_broken:
                    window.extend((pair, _submitted(pool, task, pair)) for pair in islice(left, 1))


def _processes(n: int) -> ProcessPoolExecutor:
    """Not forked: this process may have threads."""
    return ProcessPoolExecutor(max(1, n), multiprocessing.get_context("spawn"))


def _submitted(pool: Executor, task: _Task, pair: Pair) -> Future[Verified]:
    try:
        return pool.submit(task, pair)
    except BrokenProcessPool as error:
        ended: Future[Verified] = Future()
        ended.set_exception(error)
        return ended


def _alone(task: _Task, pair: Pair) -> Verified:
    try:
        with _processes(1) as pool:
            return pool.submit(task, pair).result()
    except BrokenProcessPool:
        return _crashed(pair, "its process died, or took longer for a frame than limits.max_decode_s_per_frame")


def _watched(pair: Pair, agreed: Agreed) -> Verified:
    """What a worker does: it leaves a decoder that hangs, which nothing else can end."""
    with step_limit(agreed.limits.max_decode_s_per_frame, partial(os._exit, _EXIT_AFTER_LIMIT)):
        return _caught(pair, agreed)


def _caught(pair: Pair, agreed: Agreed) -> Verified:
    try:
        return verify(pair, agreed)
    except Exception as error:
        log.exception("Unexpected error while verifying %s", pair.name)
        return _crashed(pair, f"unexpected {type(error).__name__}: please report it")


def _crashed(pair: Pair, why: str) -> Verified:
    return Verified(pair.name, (check("crashed", False, why),))


def verify(pair: Pair, agreed: Agreed) -> Verified:
    """Compare one output with its source, and both with the ledger's hashes if there are any."""
    if pair.output is None:
        return Verified(pair.name, (check("output", False, "there is none"),))
    if pair.source is None:
        return Verified(pair.name, (check("no source", False, "the output folder has it, the input has nothing"),))
    try:
        found = file_sha256(pair.output) if pair.output_sha256 else ""
        checks = _same_bytes("output as published", found, pair.output_sha256)
    except OSError as error:
        return Verified(pair.name, (check("output", False, type(error).__name__),))
    if not agreed.compares_sources or (pair.output_sha256 and not pair.source.exists()):
        return Verified(pair.name, (*checks, _NOT_COMPARED), "" if found == pair.output_sha256 else found)
    try:
        if pair.source_sha256:
            checks += _same_bytes("source as anonymised", file_sha256(pair.source), pair.source_sha256)
        checks += _contract(pair.source, pair.output, pair.name, agreed)
    except (SourceError, OSError) as error:
        checks += (check("source", False, type(error).__name__),)
    return Verified(pair.name, checks, "" if found == pair.output_sha256 else found)


def _contract(source: Path, output: Path, name: str, agreed: Agreed) -> tuple[Check, ...]:
    if agreed.source.is_picture_name(source.name):
        return _picture_contract(source, output, agreed.picture)
    index = agreed.index(source)
    return inspect(source, index, output, agreed.policy(name), choose_encoding(index.stream, agreed.video))


def _picture_contract(source: Path, output: Path, picture: PictureConfig) -> tuple[Check, ...]:
    """All but the comparison outside the masks: where they were, nobody knows any more."""
    still = open_picture(read_picture(source, picture.max_bytes), picture.max_pixels)
    grid = still.info.grid
    anywhere = np.ones((grid.height, grid.width), np.bool_)
    return inspect_picture(still, output.read_bytes(), anywhere, picture.keeps)[:-1]


def _same_bytes(name: str, found: str, sha256: str) -> tuple[Check, ...]:
    """One point, or none if no hash is known."""
    return (check(name, found == sha256, "SHA-256"),) if sha256 else ()
