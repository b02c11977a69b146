"""A finished run of a few sources without any video: what its record says is all there is."""

from __future__ import annotations

import hashlib
from pathlib import Path

from anonflow.errors import DamagedVideoError
from anonflow.evidence.signing import SigningKey
from anonflow.pipeline.chains import published_chain, unchanged_chain
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.provenance import made_with
from anonflow.pipeline.rows import Outcome
from anonflow.types import Source, Status
from tests.pipeline.sealed import finish
from tests.pipeline.worlds import World


def published(name: str, context: RunContext) -> Outcome:
    """The outcome of a source that was published, and the output."""
    output = context.paths.output / name
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(f"masked {name}".encode())
    sha256 = hashlib.sha256(output.read_bytes()).hexdigest()
    read, made = {"bytes": 5, "sha256": hashlib.sha256(name.encode()).hexdigest()}, {"bytes": 9, "sha256": sha256}
    facts = {"configuration": made_with(context), "plan": {"frames": 3, "chunks": 1}, "output": made}
    return Outcome(
        uri=f"{context.config.input}/{name}",
        relative_path=name,
        video_id=f"id-{name}",
        status=Status.PUBLISHED,
        source_bytes=5,
        fingerprint=context.paths.keys.masks,
        output_uri=str(output),
        output_bytes=9,
        output_sha256=sha256,
        source_sha256=read["sha256"],
        frames=3,
        duration_s=0.12,
        details={"objects": {"face": 1}, "stage_seconds": {}},
        chain=published_chain(f"id-{name}", read, facts, context.paths.run_id),
    )


def run_of(world: World, run_id: str, names: str = "abcd", key: SigningKey | None = None) -> Path:
    """A run that published a source for each letter but `d`, which is quarantined; earlier runs' are unchanged."""
    context = world.context(run_id)
    outcomes = []
    for letter in names:
        name = f"{letter}.mp4"
        if letter == "d":
            source = Source(f"{world.config.input}/{name}", name, f"id-{name}", 7, 1)
            outcomes.append(Outcome.quarantined(source, context.paths.keys.masks, DamagedVideoError("cut off")))
        else:
            outcomes.append(published(name, context))
    return finish(world, run_id, outcomes, key)


def unchanged_run(world: World, run_id: str, published_in: str) -> Path:
    """A run that found what an earlier one published."""
    earlier = published("a.mp4", world.context(published_in))
    values = vars(earlier) | {"status": Status.UNCHANGED, "details": {}}
    chain = unchanged_chain(earlier.video_id, earlier.chain)
    return finish(world, run_id, [Outcome(**(values | {"chain": chain}))])
