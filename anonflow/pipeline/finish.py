"""The end of a run: ledger, proof, report, seal and page are written, and what is no longer needed goes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from anonflow.config import AnonymizeConfig
from anonflow.errors import StorageError
from anonflow.evidence.signing import SigningKey
from anonflow.observe.course import Course
from anonflow.observe.page import run_page
from anonflow.page.page import render
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.paths import Paths
from anonflow.pipeline.report import Totals, public_frame, write_report
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.seal import evidence, last_sealed, seal
from anonflow.pipeline.sources import Listing
from anonflow.remote.scratch import remove_orphans
from anonflow.storage import (
    StoragePath,
    arrow_source,
    remove_empty_folders,
    remove_tree,
    write_bytes,
    written_whole,
)
from anonflow.tables import MASK_DIGESTS
from anonflow.types import Status

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """What a run came to."""

    totals: Totals
    quarantined: tuple[Outcome, ...]
    """The first few."""
    ledger: StoragePath
    report: StoragePath
    page: StoragePath | None
    """The report for people; None: it could not be written."""
    wall_s: float


def finish(
    config: AnonymizeConfig,
    paths: Paths,
    listing: Listing,
    ledger: Ledger,
    course: Course,
    wall_s: float,
    key: SigningKey | None,
) -> Summary:
    """Write all that is to stay of a run: the seal after what it seals, the page last."""
    if config.debug.mask_digests:
        _gather_digests(paths, ledger)
    ledger_path, root = ledger.write()
    previous, report = last_sealed(paths.control), paths.run / "report.json"
    frame = public_frame(config, paths.run_id, ledger.tally, wall_s=wall_s, passed_over=listing.passed_over)
    frame |= {
        "evidence": evidence(root, previous),
        "statistics": ledger.statistics.to_json(),
        "course": course.to_json(),
    }
    write_report(report, frame, ledger.outcomes())
    seal(paths.run, paths.run_id, root, previous, key)
    ledger.end()
    totals = ledger.tally.totals()
    _clean_up(config, paths, all_well=not totals.quarantined)
    page = _write_page(report.with_suffix(".html"), frame)
    return Summary(totals, tuple(ledger.quarantined), ledger_path, report, page, wall_s)


def _write_page(path: StoragePath, frame: dict[str, Any]) -> StoragePath | None:
    """Show people what the report says.

    What stands for the run is written and sealed by now: the run does not fail for want of its page.
    """
    try:
        write_bytes(path, render(run_page(frame)).encode())
    except StorageError as error:
        log.warning("The run has ended, but its page is not there; the report holds all it would show: %s", error)
        return None
    return path


def _gather_digests(paths: Paths, ledger: Ledger) -> None:
    """One table of the digests of all videos that this run published, a row group per video."""
    with (
        written_whole(paths.run / "mask_digests.parquet") as partial,
        pq.ParquetWriter(partial, MASK_DIGESTS) as out,
    ):
        for outcome in ledger.by_uri():
            if outcome.status is Status.PUBLISHED and outcome.kind == "video":
                out.write_table(pq.read_table(arrow_source(paths.video_digests(outcome.video_id))))


def _clean_up(config: AnonymizeConfig, paths: Paths, *, all_well: bool) -> None:
    """Remove the work folder. After a quarantine that a later run may mend, its finished chunks are kept."""
    remove_tree(paths.work / "runs" / paths.run_id)
    remove_orphans(config.runtime.access)
    if all_well and config.runtime.work_dir is None:
        remove_tree(paths.work)
    else:
        remove_empty_folders(paths.work)
