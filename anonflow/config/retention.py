"""What of a run's intermediate results is kept; they are personal data."""

from __future__ import annotations

from dataclasses import dataclass

from anonflow.config.base import Section, require

_MAX_DAYS = 36_500


@dataclass(frozen=True)
class RetentionConfig(Section):
    """Nothing, by default."""

    detections: bool
    """Keep every video's detections, tracks and frame facts as Parquet; see `anonflow.kept`."""
    retention_days: int
    """After how many days they are to be deleted: the note beside them says so."""

    def __post_init__(self) -> None:
        """Check the values."""
        days = self.retention_days
        require(1 <= days <= _MAX_DAYS, f"keep.retention_days={days} must lie between 1 and {_MAX_DAYS}")
