"""How the runs on an output folder stand: what they say themselves, and whether the one that says it runs does."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime

from anonflow.errors import ConfigError
from anonflow.pipeline.lease import live_holder, output_lease
from anonflow.pipeline.record import Record, State, records
from anonflow.storage import StoragePath


class Standing(enum.StrEnum):
    """How a run stands."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    DIED = "died"
    """It ended without a word."""


@dataclass(frozen=True)
class View:
    """A run, as somebody sees it who looks."""

    record: Record
    standing: Standing
    age_s: float
    """Since its last sign of life, by times of day: for people, nothing is decided by it."""

    @property
    def quarantined(self) -> int:
        """Sources in quarantine so far."""
        return sum(self.record.counts.reasons.values())

    @property
    def sources_a_second(self) -> float:
        """Sources that ended, over the time of the whole run."""
        return self.record.counts.ended / max(self.record.elapsed_s, 1e-3)

    def frames_a_second(self, stage: str) -> float:
        """Frames that went through a stage, over the time of the whole run."""
        return self.record.counts.frames.get(stage, 0) / max(self.record.elapsed_s, 1e-3)


def last_run(output: StoragePath, lease_s: float) -> View:
    """The latest run on an output folder. To know of another machine's run may take `lease_s`.

    Raises:
        ConfigError: there is none.
    """
    record = next(records(output), None)
    if record is None:
        raise ConfigError(f"{output}: no run has been here. Give the output folder of `anonflow anonymize`.")
    standing = Standing(record.state)
    if record.state is State.RUNNING:
        holder = live_holder(output_lease(output), lease_s)
        if holder is None or holder.run_id != record.run_id:
            record = Record.read(output / "_anonflow" / record.run_id) or record  # it may have ended meanwhile
            standing = Standing.DIED if record.state is State.RUNNING else Standing(record.state)
    age = datetime.now(UTC) - datetime.fromisoformat(record.updated)
    return View(record, standing, max(0.0, age.total_seconds()))
