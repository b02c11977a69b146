"""The seal of a finished run: a statement of its ledger and report, chained to the run before, maybe signed.

OUT/_anonflow/<run id>/root.json        the statement, as canonical JSON
OUT/_anonflow/<run id>/signature.json   its Ed25519 signature, with `runtime.signing_key`
OUT/_anonflow/head.json                 which run is the last
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from anonflow.evidence.canonical import canonical_bytes
from anonflow.evidence.signing import SigningKey, signature_of
from anonflow.pipeline.proof import Root
from anonflow.storage import file_sha256, write_bytes, write_json

ROOT_NAME, SIGNATURE_NAME, HEAD_NAME = "root.json", "signature.json", "head.json"
LEDGER_NAME, REPORT_NAME = "ledger.parquet", "report.json"
FORMAT = "anonflow-root-1"


@dataclass(frozen=True)
class Sealed:
    """A run, and the SHA-256 of its statement, which the next run repeats."""

    run_id: str
    sha256: str

    def to_json(self) -> dict[str, str]:
        """As statements hold it."""
        return {"run_id": self.run_id, "sha256": self.sha256}


def evidence(root: Root, previous: Sealed | None) -> dict[str, Any]:
    """What the report says."""
    return {
        "ledger_root": root.root,
        "ledger_rows": root.leaves,
        "previous_run": previous.to_json() if previous else None,
    }


def seal(run: Path, run_id: str, root: Root, previous: Sealed | None, key: SigningKey | None) -> Sealed:
    """State and maybe sign what `run`, the folder of a finished run with its report, came to.

    Raises StorageError. The pointer to the last run is written last: a run that dies before has no say.
    """
    statement = {
        "format": FORMAT,
        "run_id": run_id,
        **evidence(root, previous),
        "ledger_sha256": file_sha256(run / LEDGER_NAME),
        "report_sha256": file_sha256(run / REPORT_NAME),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    content = canonical_bytes(statement)
    if key is not None:
        write_json(run / SIGNATURE_NAME, {**signature_of(content, key), "signs": ROOT_NAME})
    write_bytes(run / ROOT_NAME, content)
    sealed = Sealed(run_id, sha256(content).hexdigest())
    write_json(run.parent / HEAD_NAME, sealed.to_json())
    return sealed


def last_sealed(control: Path) -> Sealed | None:
    """The run that the next one follows: the one that `head.json` names, or one that was sealed right after it.

    A run that died before it moved the pointer is followed, too; without a pointer all runs are looked at.
    """
    head = read_head(control)
    after = {found.previous: found.sealed for found in statements(control, after=head.run_id if head else "")}
    last = head or after.get(None)
    while last is not None and last in after:
        last = after[last]
    return last


def read_head(control: Path) -> Sealed | None:
    """What `head.json` says; None if there is none that can be read."""
    try:
        return _sealed(json.loads((control / HEAD_NAME).read_bytes()))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Statement:
    """A statement as it was found."""

    sealed: Sealed
    previous: Sealed | None
    value: dict[str, Any]


def statements(control: Path, after: str = "") -> Iterator[Statement]:
    """Of the runs whose id is above `after`, in the order of their ids; what cannot be read is left out."""
    if not control.exists():
        return
    for folder in sorted(control.iterdir(), key=lambda path: path.name):
        if folder.name > after and (found := read_statement(folder)) is not None:
            yield found


def read_statement(run: Path) -> Statement | None:
    """The statement in a run's folder; None if there is none that can be read."""
    try:
        content = (run / ROOT_NAME).read_bytes()
        value = json.loads(content)
        previous = _sealed(value["previous_run"]) if value["previous_run"] else None
        return Statement(Sealed(run.name, sha256(content).hexdigest()), previous, value)
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def is_sealed(control: Path, run_id: str) -> bool:
    """Whether that run was finished, so that its chains are on record."""
    return (control / run_id / ROOT_NAME).exists()


def _sealed(value: dict[str, str]) -> Sealed:
    return Sealed(value["run_id"], value["sha256"])
