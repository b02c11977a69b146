"""Whole runs in this process, one stage after the other, without Ray: what runs in Ray are compared with."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

from rich.console import Console

from anonflow.pipeline import graph, run
from anonflow.pipeline.context import RunContext
from anonflow.pipeline.finish import Summary
from anonflow.pipeline.rows import Outcome, Row
from tests.pipeline.worlds import configuration, outcome_of


def anonymized(source: Path | str, output: Path | str, *overrides: str) -> Summary:
    """What `anonflow anonymize` does with these values, all of it in the driver."""
    config = replace(configuration(*overrides), input=str(source), output=str(output))
    with (
        mock.patch.object(run, "connected", lambda _: contextlib.nullcontext()),
        mock.patch.object(run, "stage_resources", lambda *_, **__: None),
        mock.patch.object(run.Monitor, "start", lambda: mock.Mock(read=dict, signs=lambda: None)),
        mock.patch.object(graph, "build", lambda first, context, _: (first, context)),
        mock.patch.object(graph, "outcomes", _outcomes),
    ):
        return run.anonymize(config, Console(file=io.StringIO()))


def _outcomes(built: tuple[Sequence[Row], RunContext]) -> Iterator[Outcome]:
    """The stages of the graph, in its order."""
    rows, context = list(built[0]), built[1]
    stages = graph.REAL
    detect = stages.detect(context.at("detect"))
    for stage in (
        lambda row: stages.plan(row, context.at("plan")),
        detect,
        lambda row: stages.stitch(row, context.at("stitch")),
        lambda row: stages.mask(row, context.at("mask")),
        lambda row: stages.join(row, context.at("join")),
    ):
        made = [stage(row) for row in rows]
        rows = [row for one in made for row in (one if isinstance(one, list) else [one])]
    yield from map(outcome_of, rows)
