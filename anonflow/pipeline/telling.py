"""What a run says of itself while it goes on: to the record that `status` reads, to the display, to the log."""

from __future__ import annotations

import logging
import time

from anonflow.errors import StorageError, one_line
from anonflow.observe.course import Course
from anonflow.observe.logs import told
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.progress import Display, Snapshot
from anonflow.pipeline.record import Counts, RecordFile
from anonflow.pipeline.rows import Outcome
from anonflow.types import Status

log = logging.getLogger(__name__)

_RECORD_EVERY_S = 3.0
_DEATHS_EVERY_S = 60.0
_NO_FRAMES = ("planned_videos", "retried")
"""Counters of the stages that count something else."""


class Deaths:
    """Says that workers die, as nobody else does: a run can go on like that for long."""

    def __init__(self) -> None:
        """None have been told of."""
        self._told, self._when = 0, -_DEATHS_EVERY_S

    def tell(self, counts: dict[str, int]) -> None:
        """Log how many there were by the stages' counters, if there are more, and it was long ago."""
        deaths = counts.get("retried", 0)
        if deaths <= self._told or time.monotonic() - self._when < _DEATHS_EVERY_S:
            return
        self._told, self._when = deaths, time.monotonic()
        log.warning(
            "Workers died at work, %d so far (too little memory, a decoder, a lost node); what they had begun is "
            "done again.",
            deaths,
            extra=told("deaths", deaths=deaths),
        )


class Telling:
    """Brings the record up to date every few seconds, and the display more often."""

    def __init__(self, record: RecordFile, ledger: Ledger, n_sources: int, started: float) -> None:
        """Of a run over `n_sources` that began at `started` by the monotonic clock."""
        self._record, self._ledger, self._n_sources, self._started = record, ledger, n_sources, started
        self._frames: dict[str, int] = {}
        self._told = started
        self._said: set[str] = set()
        self._deaths = Deaths()
        self.course = Course()

    def show(self, display: Display, counts: dict[str, int]) -> None:
        """Take the stages' counters."""
        self._frames = {name: count for name, count in counts.items() if name not in _NO_FRAMES}
        snapshot = Snapshot(
            videos=self._n_sources,
            planned_videos=counts.get("planned_videos", 0) + self._ledger.tally.unplanned,
            ended_videos=len(self._ledger),
            planned_frames=counts.get("planned", 0),
            detected_frames=counts.get("detect", 0),
            masked_frames=counts.get("mask", 0),
        )
        display.show(snapshot)
        self._deaths.tell(counts)
        self.course.add(snapshot.course())
        self.tell_if_due()

    def tell_if_due(self) -> None:
        """Write the record, if the last time is long ago; what cannot be written now, the next time tells."""
        if time.monotonic() - self._told < _RECORD_EVERY_S:
            return
        try:
            self._ledger.flush()
            self.tell()
        except StorageError as error:
            log.warning("The record of the run could not be written, trying again: %s", error)
            self._told = time.monotonic()

    def tell(self) -> None:
        """Write the record."""
        tally = self._ledger.tally
        counts = Counts(self._n_sources, dict(tally.statuses), dict(tally.reasons), self._frames)
        self._told = time.monotonic()
        self._record.update(counts=counts, elapsed_s=round(self._told - self._started, 1))

    def ended(self, outcome: Outcome) -> None:
        """Log an end: quarantine at once and with its remedy, the first use of an execution provider once."""
        for provider in set(outcome.details.get("providers", [])) - self._said:
            self._said.add(provider)
            log.info("Detectors ran on %s", provider, extra=told("provider", provider=provider))
        if outcome.status is Status.QUARANTINED:
            reason, video_id = outcome.reason, outcome.video_id
            instead = f"Quarantined ({reason}): source {video_id}; the ledger says which file, and why."
            facts = told("quarantined", instead, video_id=video_id, reason=reason)
            log.warning("Quarantined (%s): %s", reason, one_line(outcome.message), extra=facts)
