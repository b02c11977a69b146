"""What a verification came to, as it goes: counts, what is broken, and all points in a file on request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TextIO

from anonflow.assure.verify import Verified
from anonflow.storage import written_whole
from anonflow.types import Check

_MOST_KEPT = 10_000


@dataclass
class Tally:
    """Holds what is broken, up to a number of files; of all else only how many there were."""

    file: TextIO | None = None
    n_holding: int = 0
    n_broken: int = 0
    n_not_compared: int = 0
    wrong: list[Verified] = field(default_factory=list)

    def add(self, verified: Verified) -> None:
        """Count one, and write its points."""
        if self.file is not None:
            self.file.write(",\n" if self.n_holding + self.n_broken else "[\n")
            json.dump({"name": verified.name, "checks": [asdict(c) for c in verified.checks]}, self.file)
        self.n_not_compared += verified.is_not_compared
        if verified.holds:
            self.n_holding += 1
            return
        self.n_broken += 1
        if len(self.wrong) < _MOST_KEPT:
            self.wrong.append(verified)

    @property
    def strange_hashes(self) -> set[str]:
        """Of outputs that hold something else than was published."""
        return {verified.found_sha256 for verified in self.wrong if verified.found_sha256}

    def tell_of_swaps(self, names: Mapping[str, str]) -> None:
        """Say of these outputs whose content they hold, by SHA-256."""
        self.wrong = [
            replace(v, checks=tuple(_swapped(c, names[v.found_sha256]) for c in v.checks))
            if v.found_sha256 in names
            else v
            for v in self.wrong
        ]


def _swapped(check: Check, name: str) -> Check:
    if check.name != "output as published":
        return check
    return replace(check, detail=f"{check.detail}; it holds the output of {name}")


@contextmanager
def tallied(path: Path | None) -> Iterator[Tally]:
    """A tally that writes every point of every file to `path`, as a JSON list."""
    if path is None:
        yield Tally()
        return
    with written_whole(path) as partial, partial.open("w", encoding="utf-8") as file:
        tally = Tally(file)
        yield tally
        file.write("\n]\n" if tally.n_holding + tally.n_broken else "[]\n")
