"""The seals of an output's runs: that each is what it was, follows the one before, and that none is missing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from anonflow.assure.ledger import Finding, Reading
from anonflow.assure.models import models_of_report
from anonflow.evidence.canonical import canonical_bytes
from anonflow.evidence.signing import PublicKey, signs
from anonflow.pipeline.provenance import configuration_sha256
from anonflow.pipeline.seal import (
    LEDGER_NAME,
    REPORT_NAME,
    ROOT_NAME,
    SIGNATURE_NAME,
    Sealed,
    Statement,
    read_head,
    read_statement,
    statements,
)
from anonflow.storage import file_sha256
from anonflow.types import Check, Verdict

_UNREADABLE = (OSError, ValueError, KeyError, TypeError)


def check_run(run: Path, key: PublicKey | None) -> Iterator[Finding]:
    """What is wrong with a run's record: its seal, ledger, chains and report; of rows those that are, by name.

    Without a seal there is nothing to compare with but what lies side by side. `key`: there must be its signature.
    """
    name = f"run {run.name}"
    statement = read_statement(run)
    if statement is None:
        yield Finding(
            name, _broken("seal", f"no {ROOT_NAME} that can be read: the run did not finish, or it was removed")
        )
    report = _report(run)
    if report is None:
        yield Finding(name, _broken("report", f"no {REPORT_NAME} that can be read"))
    models, shown = (models_of_report(report), report.get("configuration")) if report else (None, None)
    reading = Reading(run, models, configuration_sha256(shown) if shown else None)
    is_whole = True
    try:
        yield from reading.findings()
    except _UNREADABLE as error:
        is_whole = False
        yield Finding(name, _broken("ledger", f"it and its chains cannot be read ({type(error).__name__})"))
    if statement is not None:
        yield from (Finding(name, check) for check in _seal(run, statement, report, reading if is_whole else None))
    if key is not None:
        yield from (Finding(name, check) for check in _signature(run, key))


def check_order(control: Path) -> Iterator[Finding]:
    """What is wrong with the chain of runs: one that is missing or changed, or two that follow the same."""
    found = {statement.sealed.run_id: statement for statement in statements(control)}
    followers: defaultdict[str, list[str]] = defaultdict(list)
    for run_id, statement in found.items():
        previous = statement.previous
        followers[previous.run_id if previous else ""].append(run_id)
        if previous is not None:
            yield from _same(previous, found, f"run {run_id} follows it")
    for run_id, after in followers.items():
        if len(after) > 1:
            what = f"run {run_id}" if run_id else "no run"
            yield Finding(
                f"run {after[-1]}", _broken("order of runs", f"it follows {what}, as run {after[0]} does")
            )
    head = read_head(control)
    if head is not None:
        yield from _same(head, found, "it is the last run by head.json")
    elif found:
        yield Finding("runs", _broken("order of runs", "no head.json that can be read: which run was the last?"))


def _same(named: Sealed, found: dict[str, Statement], why: str) -> Iterator[Finding]:
    name = f"run {named.run_id}"
    if named.run_id not in found:
        yield Finding(name, _broken("order of runs", f"it was removed: {why}"))
    elif found[named.run_id].sealed != named:
        yield Finding(name, _broken("order of runs", f"its {ROOT_NAME} was changed: {why}"))


def _seal(
    run: Path, statement: Statement, report: dict[str, Any] | None, reading: Reading | None
) -> Iterator[Check]:
    """The seal against what it speaks of. `reading` has been read to its end; None: it could not be."""
    stated = statement.value
    if canonical_bytes(stated) != (run / ROOT_NAME).read_bytes() or stated.get("run_id") != run.name:
        yield _broken("seal", "it is not in its canonical form, or of another run")
    for name, key in ((LEDGER_NAME, "ledger_sha256"), (REPORT_NAME, "report_sha256")):
        if (run / name).exists() and file_sha256(run / name) != stated.get(key):
            yield _broken(name.partition(".")[0], f"{name} is not the file that was sealed")
    if report is not None and report.get("evidence") != {k: stated.get(k) for k in _EVIDENCE}:
        yield _broken("report", "it tells of another root than the seal")
    if reading is not None:
        root = reading.root
        if (root.root, root.leaves) != (stated.get("ledger_root"), stated.get("ledger_rows")):
            rows = f"{root.leaves} rows, sealed were {stated.get('ledger_rows')}"
            yield _broken("ledger", f"its root hash is not the one that was sealed ({rows})")


_EVIDENCE = ("ledger_root", "ledger_rows", "previous_run")


def _signature(run: Path, key: PublicKey) -> Iterator[Check]:
    try:
        signature = json.loads((run / SIGNATURE_NAME).read_bytes())
        is_good = signs(signature, (run / ROOT_NAME).read_bytes(), key)
    except FileNotFoundError:
        yield _broken("signature", "there is none")
    except _UNREADABLE:
        yield _broken("signature", f"{SIGNATURE_NAME} cannot be read")
    else:
        if not is_good:
            yield _broken("signature", "it is not that of this key over this seal")


def _report(run: Path) -> dict[str, Any] | None:
    try:
        value = json.loads((run / REPORT_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _broken(name: str, detail: str) -> Check:
    return Check(name, Verdict.BROKEN, detail)
