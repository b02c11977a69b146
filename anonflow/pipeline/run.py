"""One run from configuration to summary: list, check, compute, account for everything, clean up."""

from __future__ import annotations

import fcntl
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console

from anonflow.config import AnonymizeConfig
from anonflow.detect.models import ModelStore, default_cache_dir
from anonflow.detect.session import usable_provider
from anonflow.errors import ConfigError, StorageError, one_line
from anonflow.mask.regions import unmatched
from anonflow.pipeline import graph
from anonflow.pipeline.carried import warnings
from anonflow.pipeline.cluster import connected, stage_resources
from anonflow.pipeline.context import RunContext, derive_keys
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.monitor import Monitor, watched
from anonflow.pipeline.paths import CONTROL_FOLDER, Paths
from anonflow.pipeline.progress import Display, Snapshot, displayed
from anonflow.pipeline.report import Totals, build_report
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.sources import Listing, list_sources, local_path
from anonflow.storage import (
    make_private_folder,
    naming_storage_errors,
    remove_empty_folders,
    remove_tree,
    write_json,
    written_whole,
)
from anonflow.tables import MASK_DIGESTS
from anonflow.types import Status

log = logging.getLogger(__name__)

_POLL_S = 0.5
LOCK_NAME = "lock"


@dataclass(frozen=True)
class Summary:
    """What a run came to."""

    outcomes: list[Outcome]
    totals: Totals
    ledger: Path
    report: Path
    wall_s: float


def anonymize(config: AnonymizeConfig, console: Console) -> Summary:
    """Anonymise everything that `config.input` names into `config.output`.

    Raises ConfigError before anything starts when the configuration, a model or the output folder is wrong.
    """
    started = time.monotonic()
    paths = _prepare_paths(config)
    listing = list_sources(config.input, paths.output, config.source)
    _tell_of_idle_regions(config, listing)
    for warning in warnings(config):
        log.warning("%s", warning)
    cache = _model_cache(config)
    with _only_run_on(paths):
        _check_models(config, cache)
        ledger = Ledger(paths.run)
        _compute(config, paths, cache, listing, ledger, console)
        ledger.reconcile(listing.sources)
        return _finish(config, paths, listing, ledger, time.monotonic() - started)


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
def _only_run_on(paths: Paths) -> Iterator[None]:
    """Hold the locks of output and work, which end with this process; remove what a killed run left half."""
    with _locked(paths.control), _locked(paths.work):
        remove_tree(paths.partial)
        try:
            yield
        finally:
            remove_tree(paths.partial)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / LOCK_NAME).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"Another run is using {folder}. Wait for it to end or choose another folder."
            ) from error
        yield


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
        for model in detector.models:
            store.load(model)
            log.info("Detector %s: %s (%s)", name, model.id, model.licence)


def _compute(
    config: AnonymizeConfig, paths: Paths, cache: Path, listing: Listing, ledger: Ledger, console: Console
) -> None:
    with ExitStack() as stack:
        stack.enter_context(connected(config.runtime))
        monitor = Monitor.start()
        context = RunContext(config, paths, cache, monitor)
        resources = stage_resources(config.runtime, wants_gpu=config.runtime.provider != "cpu")
        bars = console.is_terminal if config.runtime.progress is None else config.runtime.progress
        display = stack.enter_context(displayed(console, bars=bars))
        stack.enter_context(watched(monitor, _shower(display, len(listing.sources), ledger), _POLL_S))
        said: set[str] = set()
        for outcome in graph.outcomes(graph.build(listing.sources, context, resources)):
            if ledger.add(outcome):
                _tell(outcome, said)


def _shower(display: Display, videos: int, ledger: Ledger) -> Callable[[dict[str, int]], None]:
    def show(counts: dict[str, int]) -> None:
        ended = ledger.outcomes
        unplanned = sum(1 for o in ended if o.status is Status.UNCHANGED or (o.kind == "video" and not o.frames))
        display.show(
            Snapshot(
                videos=videos,
                planned_videos=counts.get("planned_videos", 0) + unplanned,
                ended_videos=len(ended),
                planned_frames=counts.get("planned", 0),
                detected_frames=counts.get("detect", 0),
                masked_frames=counts.get("mask", 0),
            )
        )

    return show


def _tell(outcome: Outcome, said: set[str]) -> None:
    """Log an end: quarantine at once and with its remedy, the first use of an execution provider once."""
    for provider in set(outcome.details.get("providers", [])) - said:
        said.add(provider)
        log.info("Detectors ran on %s", provider)
    if outcome.status is Status.QUARANTINED:
        log.warning("Quarantined (%s): %s", outcome.reason, one_line(outcome.message))


def _finish(config: AnonymizeConfig, paths: Paths, listing: Listing, ledger: Ledger, wall_s: float) -> Summary:
    outcomes = ledger.outcomes
    report = build_report(config, paths.run_id, outcomes, wall_s=wall_s, passed_over=listing.passed_over)
    write_json(paths.run / "report.json", report)
    if config.debug.mask_digests:
        _gather_digests(paths, outcomes)
    ledger_path = ledger.close()
    _clean_up(config, paths, outcomes)
    return Summary(outcomes, Totals.of(outcomes), ledger_path, paths.run / "report.json", wall_s)


def _gather_digests(paths: Paths, outcomes: list[Outcome]) -> None:
    """One table of the digests of all videos that this run published, a row group per video."""
    with (
        written_whole(paths.run / "mask_digests.parquet") as partial,
        pq.ParquetWriter(partial, MASK_DIGESTS) as out,
    ):
        for outcome in sorted(outcomes, key=lambda o: o.uri):
            if outcome.status is Status.PUBLISHED and outcome.kind == "video":
                out.write_table(pq.read_table(paths.video_digests(outcome.video_id)))


def _clean_up(config: AnonymizeConfig, paths: Paths, outcomes: list[Outcome]) -> None:
    """Remove the work folder. After a quarantine that a later run may mend, its finished chunks are kept."""
    remove_tree(paths.work / "runs" / paths.run_id)
    (paths.work / LOCK_NAME).unlink(missing_ok=True)
    all_well = all(o.status is not Status.QUARANTINED for o in outcomes)
    if all_well and config.runtime.work_dir is None:
        remove_tree(paths.work)
    else:
        remove_empty_folders(paths.work)
