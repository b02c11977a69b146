"""The fidelity contract of finished outputs, checked anew: nothing is taken from the run but its hashes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from anonflow.assure.pairs import Pair
from anonflow.errors import SourceError
from anonflow.storage import file_sha256
from anonflow.types import Check, Verdict
from anonflow.video.contract import inspect
from anonflow.video.contract.check import check
from anonflow.video.probe import probe


@dataclass(frozen=True)
class Verified:
    """What was found of one pair."""

    name: str
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is broken."""
        return all(point.verdict is not Verdict.BROKEN for point in self.checks)


def verify_all(pairs: Sequence[Pair], workers: int) -> Iterator[Verified]:
    """Verify the pairs in processes of their own, so that a decoder that crashes takes one pair with it."""
    if workers == 1 or len(pairs) == 1:
        yield from map(verify, pairs)
        return
    # Not forked: this process may have threads.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(partial(verify), pairs)


def verify(pair: Pair) -> Verified:
    """Compare one output with its source, and both with the ledger's hashes if there are any."""
    if pair.output is None:
        return Verified(pair.name, (check("output", False, "there is none"),))
    checks = [_same_bytes("output as published", pair.output, pair.output_sha256)] if pair.output_sha256 else []
    try:
        if pair.source_sha256:
            checks.append(_same_bytes("source as anonymised", pair.source, pair.source_sha256))
        index = probe(pair.source)
    except (SourceError, OSError) as error:
        return Verified(pair.name, (*checks, check("source", False, type(error).__name__)))
    return Verified(pair.name, (*checks, *inspect(pair.source, index, pair.output)))


def _same_bytes(name: str, path: Path, sha256: str) -> Check:
    return check(name, file_sha256(path) == sha256, "SHA-256")
