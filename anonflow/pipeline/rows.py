"""The row that flows through the graph: which source, which of its chunks, and how it ended, once it has.

Rows carry ids and claim checks only. What a stage makes (frame index, detections, tracks, segments) lies in the
work folder under names that follow from the row, see `paths`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

import pyarrow as pa

from anonflow.errors import AnonflowError
from anonflow.evidence.chain import Record
from anonflow.pipeline.chains import quarantined_chain
from anonflow.storage import canonical_json
from anonflow.types import Source, Status


@dataclass(frozen=True)
class Outcome:
    """How a source ended, with what the ledger and the report say about it."""

    uri: str
    video_id: str
    status: Status
    source_bytes: int
    fingerprint: str
    reason: str = ""
    message: str = ""
    output_uri: str = ""
    output_bytes: int = 0
    output_sha256: str = ""
    source_sha256: str = ""
    frames: int = 0
    duration_s: float = 0.0
    relative_path: str = ""
    """The source's path below the input, `/` separated."""
    kind: str = "video"
    """`video`, or `picture`, which has no frames."""
    finished_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    details: dict[str, Any] = field(default_factory=dict)
    """For the report: objects by label, frames with masks, stage seconds, checks, what was changed by policy."""
    chain: list[Record] = field(default_factory=list)
    """What happened to the source, tamper-evident; see `pipeline.chains`."""

    @classmethod
    def quarantined(cls, source: Source, fingerprint: str, error: AnonflowError) -> Self:
        """The outcome of a source that `error` stopped; its message names the source."""
        message = str(error)
        return cls(
            uri=source.uri,
            relative_path=source.relative_path,
            video_id=source.video_id,
            status=Status.QUARANTINED,
            source_bytes=source.size_bytes,
            fingerprint=fingerprint,
            reason=error.reason,
            message=message if source.uri in message else f"{source.uri}: {message}",
            chain=quarantined_chain(source, error.reason),
        )

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The outcome that `to_json` gave."""
        return cls(**{**value, "status": Status(value["status"])})

    def to_json(self) -> dict[str, Any]:
        """As a value that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class Row:
    """A row between two stages. `chunk` is -1 before planning; `outcome` (JSON) is empty until the source ends."""

    uri: str
    relative_path: str
    video_id: str
    size_bytes: int
    modified_ns: int
    chunk: int = -1
    n_chunks: int = 0
    outcome: str = ""
    pictures: int = 0
    """Of an album, which is a row of many sources; 0 for a video, and for a picture that has ended."""

    @property
    def is_album(self) -> bool:
        """Whether the row stands for an album that is under way."""
        return self.pictures > 0 and not self.outcome

    @property
    def source(self) -> Source:
        """The source that the row belongs to."""
        return Source(self.uri, self.relative_path, self.video_id, self.size_bytes, self.modified_ns)

    @classmethod
    def of(cls, source: Source) -> Self:
        """The first row of a source."""
        return cls(source.uri, source.relative_path, source.video_id, source.size_bytes, source.modified_ns)

    def ended(self, outcome: Outcome) -> Row:
        """The row that carries an outcome through the stages that are left."""
        return replace(self, outcome=canonical_json(outcome.to_json()))


SCHEMA = pa.schema(
    [
        ("uri", pa.string()),
        ("relative_path", pa.string()),
        ("video_id", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified_ns", pa.int64()),
        ("chunk", pa.int32()),
        ("n_chunks", pa.int32()),
        ("outcome", pa.string()),
        ("pictures", pa.int32()),
    ]
)


def to_table(rows: list[Row]) -> pa.Table:
    """Rows as Arrow, with the one schema of the graph even when there are none."""
    return pa.Table.from_pylist([asdict(row) for row in rows], schema=SCHEMA)


def from_table(table: pa.Table) -> list[Row]:
    """Rows from Arrow."""
    return [Row(**values) for values in table.to_pylist()]
