"""The chain of records of each source: what was read, made and found on its way, ending with its outcome.

Records hold counts and hashes, never boxes or names. Which file a `video_id` stands for is in the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anonflow.evidence.chain import Record, chained
from anonflow.types import Source


def published_chain(
    video_id: str, source: Mapping[str, Any], made: Mapping[str, Mapping[str, Any]], run_id: str
) -> list[Record]:
    """Of a source that `run_id` published: what was read, then a record for each thing `made`, in their order."""
    facts = [{**fact, "kind": kind} for kind, fact in made.items()]
    end = {"kind": "outcome", "status": "published", "run_id": run_id}
    return chained(video_id, [{**source, "kind": "source"}, *facts, end])


def unchanged_chain(video_id: str, published: Sequence[Record]) -> list[Record]:
    """Of a source that an earlier run published: its chain goes on."""
    run_id = published[-1]["run_id"] if published else None
    return chained(video_id, [{"kind": "unchanged", "run_id": run_id}], published)


def quarantined_chain(source: Source, reason: str) -> list[Record]:
    """Of a source that was not published. Its hash is not known: maybe it could not even be read."""
    read = {"kind": "source", "bytes": source.size_bytes, "sha256": None}
    return chained(source.video_id, [read, {"kind": "outcome", "status": "quarantined", "reason": reason}])
