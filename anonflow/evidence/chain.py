"""A chain of records about one source: each holds the SHA-256 of the one before, so none can be changed alone.

A record is a mapping that JSON can hold, with `kind`, `video_id`, `position` and `previous`. Its hash is that of
its canonical form (RFC 8785), which is also how it is written, a line each: `sha256sum` can check it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from anonflow.evidence.canonical import canonical_bytes

Record: TypeAlias = dict[str, Any]


def chained(video_id: str, facts: Iterable[Mapping[str, Any]], before: Sequence[Record] = ()) -> list[Record]:
    """`before` and, chained to it, a record for each of `facts`; each of them has a `kind`."""
    records = list(before)
    for fact in facts:
        previous = record_hash(records[-1]) if records else None
        position = records[-1]["position"] + 1 if records else 0
        records.append({**fact, "video_id": video_id, "position": position, "previous": previous})
    return records


def record_hash(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record's canonical form, hexadecimal."""
    return hashlib.sha256(canonical_bytes(record)).hexdigest()


def head(records: Sequence[Mapping[str, Any]]) -> str | None:
    """The hash that stands for the whole chain; None for no records."""
    return record_hash(records[-1]) if records else None


def broken_link(records: Sequence[Mapping[str, Any]]) -> int | None:
    """Position in `records` of the first that does not follow from the one before; None if all do.

    The first record begins a chain, or goes on from one that another run holds (`unchanged`).
    """
    for place, record in enumerate(records):
        if place:
            before = records[place - 1]
            fits = (record.get("previous"), record.get("position")) == (
                record_hash(before),
                before.get("position", -2) + 1,
            )
        else:
            begins = record.get("previous") is None and record.get("position") == 0
            fits = begins or (record.get("kind") == "unchanged" and record.get("previous") is not None)
        if not fits:
            return place
    return None
