"""Reading mutated files for a while: `python -m tests.corpus.fuzz --minutes 20`.

Files of the corpus are damaged at random and read as a run reads them, under both damage policies, whole and in
chunks, by a worker process with limits on time and memory. What must never happen is written down with its seed: a
crash, a hang, an error without a name, chunks that differ from the whole. Frames that are accepted although they
differ from those of the sound file are counted: most codecs have no checksum to tell by.
"""

from __future__ import annotations

import argparse
import json
import random
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.corpus.make import Corpus
from tests.corpus.mutate import mutated
from tests.corpus.recipes import EXACT, RECIPES

CASE_LIMIT_S = 120.0
NAMES = sorted(
    name for name, recipe in RECIPES.items() if recipe.expected == EXACT and name.isascii() and len(name) < 99
)


@dataclass
class Tally:
    """What came of all cases."""

    n_cases: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)
    accepted_by_name: Counter[str] = field(default_factory=Counter)
    fewer_by_name: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, seed: int, answer: dict[str, Any]) -> None:
        """Count a case."""
        self.n_cases += 1
        self.outcomes[answer.get("strict", "failed")] += 1
        self.hidden[answer.get("hiding", "failed")] += 1
        if answer.get("strict") == "differs":
            self.accepted_by_name[name] += 1
        if answer.get("strict") == "fewer":
            self.fewer_by_name[name] += 1
        if "failure" in answer:
            self.failures.append({"name": name, "seed": seed, "failure": answer["failure"]})
            print("FAILURE", json.dumps(self.failures[-1]), flush=True)

    def summary(self) -> str:
        """A few lines."""
        return "\n".join(
            [
                f"{self.n_cases} cases, {len(self.failures)} failures",
                f"quarantine: {dict(self.outcomes.most_common())}",
                f"hide_frame: {dict(self.hidden.most_common())}",
                f"accepted with other frames: {dict(self.accepted_by_name.most_common(12))}",
                f"accepted with fewer frames: {dict(self.fewer_by_name.most_common(12))}",
            ]
        )


class Worker:
    """A process that reads one file after the other; made anew when it dies or hangs."""

    def __init__(self) -> None:
        """Start."""
        self._start()

    def ask(self, question: dict[str, Any], limit_s: float = CASE_LIMIT_S) -> dict[str, Any]:
        """What came of a file; a crash or a hang is a failure."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], limit_s)
        line = self._process.stdout.readline() if ready else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        if not ready:
            self._process.kill()
        code = self._process.wait()
        self._start()
        return {"failure": f"crash, exit code {code}" if ready else f"no answer within {limit_s:g} s"}

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.corpus.fuzz_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
        )


def fuzz(corpus: Corpus, seconds: float, first_seed: int, *, keep: Path | None = None) -> Tally:
    """Read mutated files for so long. A case follows from its seed alone. `keep`: where failing files are kept."""
    tally, worker, ends_s = Tally(), Worker(), time.monotonic() + seconds
    seed = first_seed
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < ends_s:
            chance = random.Random(seed)
            name, *others = (chance.choice(NAMES) for _ in range(3))
            content = mutated([corpus.path(n).read_bytes() for n in (name, *others)], seed)
            path = Path(folder) / f"case{Path(name).suffix}"
            path.write_bytes(content)
            answer = worker.ask({"path": str(path), "whole": str(corpus.path(name)), "seed": seed})
            tally.add(name, seed, answer)
            if keep and "failure" in answer:
                (keep / f"{seed}-{name}").write_bytes(content)
            seed += 1
    worker.close()
    return tally


def main() -> int:
    """Fuzz for the minutes asked for; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, help="a folder to make the corpus in and to find it again")
    parser.add_argument("--keep", type=Path, help="a folder for files that failed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(Corpus(given.corpus or Path(folder)), given.minutes * 60, given.seed, keep=given.keep)
    print(tally.summary())
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
