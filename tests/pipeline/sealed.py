"""Finished runs: what the driver does with outcomes after the last stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anonflow.evidence.signing import SigningKey
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.report import build_report
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.seal import evidence, last_sealed, seal
from anonflow.storage import write_json
from tests.pipeline.worlds import World


def finish(world: World, run_id: str, outcomes: Sequence[Outcome], key: SigningKey | None = None) -> Path:
    """Ledger, report and seal of a run; its folder."""
    folder = world.output / "_anonflow" / run_id
    ledger = Ledger(folder)
    for outcome in outcomes:
        ledger.add(outcome)
    _, root = ledger.write()
    ledger.end()
    previous = last_sealed(folder.parent)
    report = build_report(world.config, run_id, outcomes, wall_s=1.0, passed_over={})
    write_json(folder / "report.json", report | {"evidence": evidence(root, previous)})
    seal(folder, run_id, root, previous, key)
    return folder
