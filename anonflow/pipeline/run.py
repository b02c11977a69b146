"""One run from configuration to summary: list, check, compute, account for everything, clean up."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console

from anonflow.config import AnonymizeConfig
from anonflow.detect.models import ModelStore, default_cache_dir
from anonflow.detect.session import usable_provider
from anonflow.errors import ConfigError, StorageError, one_line
from anonflow.mask.regions import unmatched
from anonflow.pipeline import graph
from anonflow.pipeline.album.members import first_row, units
from anonflow.pipeline.carried import warnings
from anonflow.pipeline.cluster import connected, stage_resources
from anonflow.pipeline.context import RunContext, derive_keys
from anonflow.pipeline.lease import Hold, held, lease_folder
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.monitor import Monitor, watched
from anonflow.pipeline.paths import CONTROL_FOLDER, Paths
from anonflow.pipeline.progress import Display, Snapshot, displayed
from anonflow.pipeline.record import Counts, RecordFile, recorded
from anonflow.pipeline.report import Totals, write_report
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.settled import Unit, settle
from anonflow.pipeline.sources import Listing, list_sources, local_path
from anonflow.storage import (
    make_private_folder,
    naming_storage_errors,
    remove_empty_folders,
    remove_tree,
    written_whole,
)
from anonflow.tables import MASK_DIGESTS
from anonflow.types import Status

log = logging.getLogger(__name__)

_POLL_S = 0.5
_RECORD_EVERY_S = 3.0


@dataclass(frozen=True)
class Summary:
    """What a run came to."""

    totals: Totals
    quarantined: tuple[Outcome, ...]
    """The first few."""
    ledger: Path
    report: Path
    wall_s: float


def anonymize(config: AnonymizeConfig, console: Console, only: Collection[str] | None = None) -> Summary:
    """Anonymise everything that `config.input` names into `config.output`; of it `only` these URIs, if given.

    Raises ConfigError before anything starts when the configuration, a model or the output folder is wrong, or
    another run is at work on it.
    """
    started = time.monotonic()
    paths = _prepare_paths(config)
    listing = _listed(config, paths, only)
    if only is None:
        _tell_of_idle_regions(config, listing)
    for warning in warnings(config):
        log.warning("%s", warning)
    cache = _model_cache(config)
    with _only_run_on(paths, config.runtime.lease_s) as hold:
        _check_models(config, cache)
        number = hold.leases[0].number
        configuration = _from_anywhere(config)
        with recorded(paths.run, paths.run_id, configuration, is_retry=only is not None, number=number) as record:
            ledger = Ledger(paths.run)
            progress = _Progress(record, ledger, len(listing.sources), started)
            _compute(RunContext(config, paths, cache), listing, ledger, console, progress, hold)
            ledger.reconcile(listing.sources)
            summary = _finish(config, paths, listing, ledger, time.monotonic() - started, hold)
            progress.tell()
            return summary


def _listed(config: AnonymizeConfig, paths: Paths, only: Collection[str] | None) -> Listing:
    listing = list_sources(config.input, paths.output, config.source)
    if only is None:
        return listing
    sources = tuple(source for source in listing.sources if source.uri in only)
    if not sources:
        raise ConfigError(f"Of the {len(only)} inputs that were asked for, none is in {config.input} any more.")
    if len(sources) < len(only):
        log.warning("%d of the inputs that were asked for are no longer there.", len(only) - len(sources))
    return replace(listing, sources=sources)


def _from_anywhere(config: AnonymizeConfig) -> dict[str, Any]:
    """The configuration as it holds in any working directory."""
    runtime = config.runtime
    names = ("work_dir", "detections_dir", "model_cache")
    places = {name: getattr(runtime, name) for name in names}
    absolute: dict[str, Any] = {name: _absolute(place) for name, place in places.items() if place is not None}
    absolute["model_dirs"] = [_absolute(folder) for folder in runtime.model_dirs]
    resolved = replace(config, input=_absolute(config.input), output=_absolute(config.output))
    return asdict(replace(resolved, runtime=replace(runtime, **absolute)))


def _absolute(place: str) -> str:
    return place if "://" in place or place.startswith("file:") else os.path.abspath(Path(place).expanduser())


def _prepare_paths(config: AnonymizeConfig) -> Paths:
    output = Path(local_path(config.output))
    work = (
        Path(local_path(config.runtime.work_dir)) if config.runtime.work_dir else output / CONTROL_FOLDER / "work"
    )
    run_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    shared = Path(local_path(config.runtime.detections_dir)) if config.runtime.detections_dir else None
    paths = Paths(output, work, run_id, derive_keys(config), shared)
    try:
        with naming_storage_errors(output):
            output.mkdir(parents=True, exist_ok=True)
            paths.control.mkdir(exist_ok=True)
        for folder in (work, paths.partial, *([shared] if shared else [])):
            make_private_folder(folder)
    except StorageError as error:
        raise ConfigError(f"output={config.output} cannot be used: {error}") from error
    return paths


def _tell_of_idle_regions(config: AnonymizeConfig, listing: Listing) -> None:
    """A slip in a pattern leaves unhidden what somebody wanted hidden; but it may also be meant for other runs."""
    for pattern in unmatched(config.regions, [source.relative_path for source in listing.sources]):
        log.warning("Regions: %s matches none of the inputs' paths below the input.", one_line(pattern))


@contextmanager
def _only_run_on(paths: Paths, lease_s: float) -> Iterator[Hold]:
    """Hold the leases of output and work; remove what a killed run left half."""
    folders = dict.fromkeys((lease_folder(paths.output), lease_folder(paths.work)))
    with held(folders, paths.run_id, lease_s) as hold:
        remove_tree(paths.partial)
        try:
            yield hold
        finally:
            if hold.loss is None:  # else they are the other run's
                remove_tree(paths.partial)


def _model_cache(config: AnonymizeConfig) -> Path:
    if config.runtime.model_cache:
        return Path(local_path(config.runtime.model_cache))
    return default_cache_dir()


def _check_models(config: AnonymizeConfig, cache: Path) -> None:
    """Have every model at hand and verified before the first video is touched."""
    if config.runtime.address is None:
        usable_provider(config.runtime.provider)
    store = ModelStore(cache, [Path(local_path(folder)) for folder in config.runtime.model_dirs])
    for name, detector in sorted(config.detector.items()):
        store.load(detector.model)
        log.info("Detector %s: %s (%s)", name, detector.model.id, detector.model.licence)


class _Progress:
    """Brings the record up to date every few seconds, and the display more often."""

    def __init__(self, record: RecordFile, ledger: Ledger, n_sources: int, started: float) -> None:
        self._record, self._ledger, self._n_sources, self._started = record, ledger, n_sources, started
        self._frames: dict[str, int] = {}
        self._told = started

    def show(self, display: Display, counts: dict[str, int]) -> None:
        """Take the stages' counters."""
        self._frames = {name: count for name, count in counts.items() if name != "planned_videos"}
        display.show(
            Snapshot(
                videos=self._n_sources,
                planned_videos=counts.get("planned_videos", 0) + self._ledger.tally.unplanned,
                ended_videos=len(self._ledger),
                planned_frames=counts.get("planned", 0),
                detected_frames=counts.get("detect", 0),
                masked_frames=counts.get("mask", 0),
            )
        )
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


def _compute(
    context: RunContext,
    listing: Listing,
    ledger: Ledger,
    console: Console,
    progress: _Progress,
    hold: Hold,
) -> None:
    left = []
    for unit, settled in settle(units(listing.sources, context), context):
        for outcome in settled:
            ledger.add(outcome)
        if not settled:
            left.append(unit)
        progress.tell_if_due()
    hold.check()
    if left:
        _work(left, context, ledger, console, progress, hold)


def _work(
    left: list[Unit],
    context: RunContext,
    ledger: Ledger,
    console: Console,
    progress: _Progress,
    hold: Hold,
) -> None:
    runtime = context.config.runtime
    with ExitStack() as stack:
        stack.enter_context(connected(runtime))
        monitor = Monitor.start()
        context = replace(context, progress=monitor)
        resources = stage_resources(runtime, wants_gpu=runtime.provider != "cpu")
        bars = console.is_terminal if runtime.progress is None else runtime.progress
        display = stack.enter_context(displayed(console, bars=bars))
        stack.enter_context(watched(monitor, partial(progress.show, display), _POLL_S))
        said: set[str] = set()
        dataset = graph.build([first_row(unit, context) for unit in left], context, resources)
        for outcome in graph.outcomes(dataset):
            hold.check()
            if ledger.add(outcome):
                _tell(outcome, said)


def _tell(outcome: Outcome, said: set[str]) -> None:
    """Log an end: quarantine at once and with its remedy, the first use of an execution provider once."""
    for provider in set(outcome.details.get("providers", [])) - said:
        said.add(provider)
        log.info("Detectors ran on %s", provider)
    if outcome.status is Status.QUARANTINED:
        log.warning("Quarantined (%s): %s", outcome.reason, one_line(outcome.message))


def _finish(
    config: AnonymizeConfig, paths: Paths, listing: Listing, ledger: Ledger, wall_s: float, hold: Hold
) -> Summary:
    report = paths.run / "report.json"
    write_report(
        report,
        config,
        paths.run_id,
        ledger.tally,
        ledger.outcomes(),
        wall_s=wall_s,
        passed_over=listing.passed_over,
    )
    if config.debug.mask_digests:
        _gather_digests(paths, ledger)
    ledger_path = ledger.close()
    totals = ledger.tally.totals()
    hold.confirm()
    _clean_up(config, paths, all_well=not totals.quarantined)
    return Summary(totals, tuple(ledger.quarantined), ledger_path, report, wall_s)


def _gather_digests(paths: Paths, ledger: Ledger) -> None:
    """One table of the digests of all videos that this run published, a row group per video."""
    with (
        written_whole(paths.run / "mask_digests.parquet") as partial_path,
        pq.ParquetWriter(partial_path, MASK_DIGESTS) as out,
    ):
        for outcome in ledger.by_uri():
            if outcome.status is Status.PUBLISHED and outcome.kind == "video":
                out.write_table(pq.read_table(paths.video_digests(outcome.video_id)))


def _clean_up(config: AnonymizeConfig, paths: Paths, *, all_well: bool) -> None:
    """Remove the work folder. After a quarantine that a later run may mend, its finished chunks are kept."""
    remove_tree(paths.work / "runs" / paths.run_id)
    if all_well and config.runtime.work_dir is None:
        remove_tree(paths.work)
    else:
        remove_empty_folders(paths.work)
