"""One run from configuration to summary: list, check, compute, account for everything, clean up."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import replace
from functools import partial

from rich.console import Console

from anonflow.config import AnonymizeConfig
from anonflow.errors import WorkLostError
from anonflow.observe.logs import bind, told
from anonflow.observe.statistics import RunStatistics
from anonflow.pipeline import graph
from anonflow.pipeline.album.members import first_row, units
from anonflow.pipeline.carried import warnings
from anonflow.pipeline.cluster import connected
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.finish import Summary, finish
from anonflow.pipeline.interrupts import check as check_interrupts
from anonflow.pipeline.keeping import begin_keeping
from anonflow.pipeline.lease import Hold
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.monitor import Monitor, watched
from anonflow.pipeline.prepare import (
    check_models,
    from_anywhere,
    list_wanted,
    model_cache,
    only_run_on,
    prepare_paths,
    signing_key,
)
from anonflow.pipeline.progress import displayed
from anonflow.pipeline.record import recorded
from anonflow.pipeline.resources import stage_resources
from anonflow.pipeline.rows import Outcome
from anonflow.pipeline.settled import Unit, settle
from anonflow.pipeline.sources import Listing
from anonflow.pipeline.stall import until_still
from anonflow.pipeline.telling import Telling

log = logging.getLogger(__name__)

_POLL_S = 0.5


def anonymize(config: AnonymizeConfig, console: Console, only: Collection[str] | None = None) -> Summary:
    """Anonymise everything that `config.input` names into `config.output`; of it `only` these URIs, if given.

    Raises ConfigError before anything starts when the configuration, a model or the output folder is wrong, or
    another run is at work on it.
    """
    started = time.monotonic()
    key = signing_key(config)
    paths = prepare_paths(config)
    bind(run_id=paths.run_id)
    listing = list_wanted(config, paths, only)
    for warning in warnings(config):
        log.warning("%s", warning, extra=told("warning"))
    cache = model_cache(config)
    with only_run_on(paths, config.runtime.lease_s) as hold:
        check_models(config, cache)
        number, made_with = hold.leases[0].number, from_anywhere(config)
        with recorded(paths.run, paths.run_id, made_with, is_retry=only is not None, number=number) as record:
            ledger = Ledger(paths.run)
            telling = Telling(record, ledger, len(listing.sources), started)
            with _lineage(config, paths.run_id, ledger.statistics):
                begin_keeping(config, paths)
                context = RunContext(config, paths, cache)
                _compute(context, listing, ledger, console, telling, hold)
                _quarantine_lost(context, listing, ledger, telling)
                ledger.reconcile(listing.sources)
                hold.confirm()
                wall_s = time.monotonic() - started
                summary = finish(config, paths, listing, ledger, telling.course, wall_s, key)
            telling.tell()
            return summary


def _lineage(config: AnonymizeConfig, run_id: str, statistics: RunStatistics) -> AbstractContextManager[None]:
    if not config.runtime.lineage.is_on:
        return nullcontext()
    from anonflow.observe.lineage import lineage  # noqa: PLC0415  # its client takes half a second to import

    return lineage(config, run_id, statistics)


def _compute(
    context: RunContext,
    listing: Listing,
    ledger: Ledger,
    console: Console,
    telling: Telling,
    hold: Hold,
) -> None:
    """Take out what is done, then work on the rest."""
    left = []
    for unit, settled in settle(units(listing.sources, context), context):
        for outcome in settled:
            ledger.add(outcome)
        if not settled:
            left.append(unit)
        telling.tell_if_due()
    hold.check()
    if left:
        _work(left, context, ledger, console, telling, hold)


def _work(
    left: list[Unit],
    context: RunContext,
    ledger: Ledger,
    console: Console,
    telling: Telling,
    hold: Hold,
) -> None:
    runtime = context.config.runtime
    with ExitStack() as stack:
        stack.enter_context(connected(runtime))
        monitor = Monitor.start()
        monitor.listed(sum(map(len, left)))
        context = replace(context, progress=monitor)
        resources = stage_resources(runtime, wants_gpu=runtime.provider != "cpu")
        is_watched = console.is_terminal and runtime.log_format == "text"
        bars = is_watched if runtime.progress is None else runtime.progress
        display = stack.enter_context(displayed(console, bars=bars))
        stack.enter_context(watched(monitor, partial(telling.show, display), _POLL_S))
        dataset = graph.build([first_row(unit, context) for unit in left], context, resources)
        ending = until_still(graph.outcomes(dataset), monitor.signs, runtime.longest_stall_s)
        for outcome in stack.enter_context(closing(ending)):
            check_interrupts()
            hold.check()
            if ledger.add(outcome):
                monitor.ended(outcome)
                telling.ended(outcome)


def _quarantine_lost(context: RunContext, listing: Listing, ledger: Ledger, telling: Telling) -> None:
    """End the sources that nobody ended: their chunks' results disappeared before the last of them came."""
    paths = context.paths
    for source in ledger.missing(listing.sources):
        error = WorkLostError(
            f"{source.uri}: what was made of it in {paths.work} disappeared before it was complete. Let nobody "
            "clean that folder during a run, and run again; if nobody did, please report this line."
        )
        kind = "picture" if context.config.source.is_picture_name(source.relative_path) else "video"
        outcome = replace(Outcome.quarantined(source, paths.keys.masks, error), kind=kind)
        ledger.add(outcome)
        telling.ended(outcome)
