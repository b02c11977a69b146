"""What the chain of a published source says it was made of: configuration, models, and digests of each result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from anonflow import __version__
from anonflow.config import AnonymizeConfig
from anonflow.evidence.canonical import canonical_bytes
from anonflow.evidence.digest import rows_digest
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.report import public_configuration
from anonflow.pipeline.rows import Row
from anonflow.storage import StoragePath
from anonflow.tables import read_note
from anonflow.types import Check, Detections, MaskPlan


def configuration_sha256(public: Any) -> str:
    """Of the configuration as the report shows it, without paths: SHA-256 of its canonical JSON."""
    as_in_report = json.loads(json.dumps(public, default=str))
    return hashlib.sha256(canonical_bytes(as_in_report)).hexdigest()


def made_with(context: RunContext) -> dict[str, Any]:
    """The configuration and the models. The fingerprint is the one that the ledger has."""
    config: AnonymizeConfig = context.config
    return {
        "anonflow": __version__,
        "fingerprint": context.paths.keys.masks,
        "configuration_sha256": configuration_sha256(public_configuration(config)),
        "models": {name: [model.sha256 for model in d.models] for name, d in config.detector.items()},
    }


def video_facts(
    row: Row,
    context: RunContext,
    segments: Sequence[StoragePath],
    checks: Sequence[Check],
    frames: int,
    copied: int,
) -> dict[str, dict[str, Any]]:
    """What was made of a video, from the notes beside its results. None: an earlier version noted no digest."""
    paths = context.paths
    found = [read_note(paths.detections(row.video_id, chunk)).get("owned") for chunk in range(row.n_chunks)]
    plan = read_note(paths.mask_plan(row.video_id))
    notes = [json.loads(paths.note(segment).read_text()) for segment in segments]
    return {
        "configuration": made_with(context),
        "plan": {"frames": frames, "chunks": row.n_chunks},
        "detections": {"chunks": found},
        "tracks": {"objects": plan["objects"], **(plan.get("tracks") or {})},
        "masks": plan.get("masks") or {},
        "segments": {"sha256": [note.get("sha256") for note in notes], "copied_frames": copied},
        "checks": {"points": [[check.name, str(check.verdict)] for check in checks]},
    }


def picture_facts(
    made: dict[str, Any], found: Detections, plan: MaskPlan, objects: dict[str, int], checks: Sequence[Check]
) -> dict[str, dict[str, Any]]:
    """What was made of a picture: `made` is what `made_with` gave, `found` and `plan` are its own rows."""
    return {
        "configuration": made,
        "detections": rows_digest(found),
        "masks": {"objects": objects, **rows_digest(plan)},
        "checks": {"points": [[check.name, str(check.verdict)] for check in checks]},
    }
