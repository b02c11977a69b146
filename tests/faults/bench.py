"""An archive of tiny clips, runs over it that are disturbed, and the judgement of what came out."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.faults.faults import Fault, n_calls, plugged
from tests.media import Clip, make_clip
from tests.runs import Run, files_below, gone, start

KINDS = 8
"""Different clips; an archive of more has some of them again, under other names."""
ARGUMENTS = (
    "detector=faces",
    "detector.face.max_upscale=2",
    "chunk.length_s=0.4",
    "chunk.overlap_frames=4",
    "video.preset=ultrafast",
    "video.crf=20",
    "video.copy_clean=false",
    "runtime.object_store_mb=80",
    "runtime.provider=cpu",
    "source.extensions=[mp4]",
)


@dataclass(frozen=True)
class Finding:
    """A row of the table: what was done to a run and what came of it."""

    fault: str
    done: str
    lost: int
    doubled: int
    partial: int
    orphans: int
    equal: bool
    """Every output has the bytes of an undisturbed run's."""
    seconds: float
    """From the start to the end of all runs that it took."""
    extra_s: float
    """More than an undisturbed run over as many files."""
    note: str = ""

    @property
    def is_well(self) -> bool:
        """Nothing lost, doubled, partial or left running, and the outputs are those of an undisturbed run."""
        return not (self.lost or self.doubled or self.partial or self.orphans) and self.equal


@dataclass
class Trial:
    """A folder with an input and an output, over which runs are made."""

    root: Path
    bench: Bench
    names: list[str]
    arguments: tuple[str, ...] = ()
    runs: list[Run] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    _begun: float = 0.0

    @property
    def input(self) -> Path:
        return self.root / "in"

    @property
    def output(self) -> Path:
        return self.root / "out"

    @property
    def control(self) -> Path:
        return self.output / "_anonflow"

    @property
    def counts(self) -> Path:
        """Where the plug counts."""
        return self.root / "faults"

    def start(self, *faults: Fault, more: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Run:
        """Start a run with these faults."""
        variables = plugged(faults, self.counts) | dict(environment or {})
        places = (f"input={self.input}", f"output={self.output}")
        self._begun = time.monotonic()
        run = start("anonymize", *places, *ARGUMENTS, *self.arguments, *more, environment=variables)
        self.runs.append(run)
        return run

    def finish(self, timeout_s: float = 900) -> int:
        """Wait for the run that was started last; its exit code."""
        try:
            code, printed = self.runs[-1].finish(timeout_s)
        except subprocess.TimeoutExpired:
            self.runs[-1].process.kill()
            raise
        self.seconds += time.monotonic() - self._begun
        self.printed.append(printed)
        return code

    def run(self, *faults: Fault, more: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> int:
        """Start a run and wait for its end."""
        self.start(*faults, more=more, environment=environment)
        return self.finish()

    def struck(self, position: int) -> int:
        """How often the fault at that position of the last run met what it matches."""
        return n_calls(self.counts, position)

    def ledger(self) -> dict[str, dict[str, Any]]:
        """What the run that ended last says of each source, by the source's name."""
        return {Path(row["uri"]).name: row for row in self.ledger_rows()}

    def journals(self) -> list[Path]:
        """The records of runs that are at work, or ended before their time."""
        return sorted(self.control.glob("*/ledger.jsonl"))

    def ledger_rows(self) -> list[dict[str, Any]]:
        """The rows of the ledger that was written last."""
        ledgers = sorted(self.control.glob("*/ledger.parquet"), key=lambda p: p.stat().st_mtime_ns)
        return list(pq.read_table(ledgers[-1]).to_pylist()) if ledgers else []

    def outputs(self) -> dict[str, str]:
        """SHA-256 of everything in the output that is no record, by name."""
        return {
            name: self.sha256((self.output / name).read_bytes())
            for name in sorted(files_below(self.output))
            if not name.startswith("_anonflow/")
        }

    def judge(self, fault: str, done: str, expected: Mapping[str, str] | None = None, note: str = "") -> Finding:
        """What came of the runs so far, when the names in `expected` end in quarantine for that reason.

        Lost: no outcome, or another than expected. Doubled: outcomes beyond the first, files nobody asked for.
        Partial: unfinished files, outputs of sources that were quarantined, published ones without their output.
        """
        expected = expected or {}
        rows, outputs = self.ledger_rows(), self.outputs()
        ended = Counter(Path(row["uri"]).name for row in rows)
        ledger = self.ledger()
        lost = [name for name in self.names if not self._ended_as_expected(ledger.get(name), expected.get(name))]
        doubled = sum(count - 1 for count in ended.values()) + len(set(outputs) - set(self.names))
        published = {name for name, row in ledger.items() if row["status"] in ("published", "unchanged")}
        partial = set(outputs) ^ published
        partial |= {name for name in files_below(self.output) if name.endswith(".partial") or "/partial/" in name}
        undisturbed = {name: self.bench.undisturbed(name) for name in outputs}
        orphans = sum(0 if gone(run) else len(run.descendants()) for run in self.runs)
        said = [f"{name}: {_said(ledger.get(name))}" for name in lost[:3]]
        return Finding(
            fault, done, len(lost), doubled, len(partial), orphans, outputs == undisturbed,
            round(self.seconds, 1), round(self.seconds - self.bench.undisturbed_s(len(self.names)), 1),
            "; ".join(filter(None, [note, *said])),
        )  # fmt: skip

    @staticmethod
    def sha256(content: bytes) -> str:
        """Hexadecimal."""
        return hashlib.sha256(content).hexdigest()

    @staticmethod
    def _ended_as_expected(row: dict[str, Any] | None, reason: str | None) -> bool:
        if row is None:
            return False
        if reason is None:
            return row["status"] in ("published", "unchanged")
        return row["status"] == "quarantined" and row["reason"] in reason.split("|")


class Bench:
    """Makes trials, and knows what an undisturbed run makes of the same clips."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._clips = [self._clip(kind) for kind in range(KINDS)]
        self.reference: dict[str, str] = {}
        """SHA-256 of the outputs of an undisturbed run, by the names of its clips."""
        self.reference_s = 0.0

    def trial(self, names: Sequence[str], *arguments: str) -> Trial:
        """A new folder with clips of these names."""
        root = self._root / f"trial{len(list(self._root.glob('trial*')))}"
        (root / "in").mkdir(parents=True)
        for name in names:
            os.link(self.clip(name), root / "in" / name)
        return Trial(root, self, list(names), arguments)

    def clip(self, name: str) -> Path:
        """The clip that lies under that name."""
        return self._clips[kind_of(name)]

    def undisturbed(self, name: str) -> str:
        """SHA-256 of the output of a clip of that name, as an undisturbed run makes it."""
        if not self.reference:
            self._run_undisturbed()
        return self.reference[f"clip_{kind_of(name)}.mp4"]

    def undisturbed_s(self, n_files: int) -> float:
        """Seconds of an undisturbed run: that of the clips of all kinds, and for more of them, so much more."""
        if not self.reference:
            self._run_undisturbed()
        return self.reference_s * max(1.0, n_files / KINDS / 2)

    def _run_undisturbed(self) -> None:
        trial = self.trial([f"clip_{kind}.mp4" for kind in range(KINDS)])
        code = trial.run()
        assert code == 0, trial.printed
        self.reference, self.reference_s = trial.outputs(), trial.seconds
        assert len(self.reference) == KINDS
        shutil.rmtree(trial.root)

    def _clip(self, kind: int) -> Path:
        path = self._root / "clips" / f"{kind}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        return make_clip(path, Clip(n_frames=30 + 3 * kind, audio=("aac",) if kind % 2 else ()))


def names_of(n: int, word: str = "clip") -> list[str]:
    """Names of so many clips."""
    return [f"{word}_{number}.mp4" for number in range(n)]


def kind_of(name: str) -> int:
    """Which clip lies under that name."""
    digits = "".join(c for c in Path(name).stem if c.isdigit())
    return int(digits) % KINDS if digits else 0


def _said(row: dict[str, Any] | None) -> str:
    return "no outcome" if row is None else json.dumps([row["status"], row["reason"], row["message"]])
