from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from anonflow.pipeline.finish import Summary
from anonflow.pipeline.report import Totals
from anonflow.pipeline.rows import Outcome
from anonflow.summary import log_summary, print_summary
from anonflow.types import Status


def quarantined(name: Any) -> Any:
    return Outcome(
        name, name, Status.QUARANTINED, 1, "fp", reason="damaged", message=f"{name}: cut [bold]off[/bold]"
    )


def printed(outcomes: Any, wall_s: Any = 2.0, width: int = 40, frames: Any = 50) -> Any:
    n = sum(1 for o in outcomes if o.status is Status.QUARANTINED)
    totals = Totals(3, 1, n, frames, {"plate": 2, "face": 5}, {})
    shown = tuple(outcomes[:20])
    summary = Summary(
        totals,
        shown,
        Path("/out/run/ledger.parquet"),
        Path("/out/run/report.json"),
        Path("/out/run/report.html"),
        wall_s,
    )
    console = Console(file=io.StringIO(), width=width)
    print_summary(summary, console)
    return console.file.getvalue()


def test_the_summary_has_the_numbers_of_the_run() -> None:
    said = printed([], width=120)
    rows = {tuple(line.split()) for line in said.splitlines()}
    expected = ["published 3", "unchanged 1", "quarantined 0", "face tracks 5", "plate tracks 2"]
    assert rows >= {tuple(line.split()) for line in expected}
    assert "50 (25.0 a second" in said and "/out/run/report.json" in said


def test_names_are_printed_as_they_are_and_in_one_piece() -> None:
    said = printed([quarantined("/in/[red]very/long/path/that/does/not/fit/into/a/line.mp4")])
    assert "/in/[red]very/long/path/that/does/not/fit/into/a/line.mp4: cut [bold]off[/bold]" in said


def test_many_failures_are_cut_short_with_the_place_of_the_rest() -> None:
    said = printed([quarantined(f"/in/{n}.mp4") for n in range(23)])
    assert said.count("quarantined  damaged") == 20
    assert "3 more, see /out/run/ledger.parquet" in said


@pytest.mark.parametrize("width", [20, 200])
def test_the_width_of_the_terminal_does_not_matter(width: int) -> None:
    assert "/out/run/report.json" in printed([], width=width)


def test_pictures_are_told_apart_from_frames() -> None:
    totals = Totals(5, 0, 0, 0, {}, {}, pictures=5, picture_objects={"face": 7})
    console = Console(file=io.StringIO(), width=120)
    print_summary(Summary(totals, (), Path("/out/l"), Path("/out/r"), None, 2.0), console)
    rows = {tuple(line.split()) for line in console.file.getvalue().splitlines()}
    assert ("pictures", "5", "(2.5", "a", "second)") in rows and ("face", "masks", "7", "in", "pictures") in rows


def test_the_summary_names_the_page() -> None:
    assert "/out/run/report.html" in printed([])


def test_the_summary_names_files_only_where_that_is_wanted() -> None:
    totals = Totals(0, 0, 1, 0, {}, {})
    outcome = replace(quarantined("anna.mp4"), video_id="0123456789abcdef")
    summary = Summary(totals, (outcome,), Path("/out/l"), Path("/out/r.json"), None, 2.0)
    console = Console(file=io.StringIO(), width=120)
    print_summary(summary, console, names_files=False)
    said = console.file.getvalue()
    assert "damaged: source 0123456789abcdef" in said and "anna" not in said


def test_the_summary_can_be_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    log_summary(Summary(Totals(3, 1, 2, 50, {"face": 5}, {}), (), Path("/out/l"), Path("/out/r.json"), None, 2.0))
    (record,) = caplog.records
    assert record.event == "summary"
    assert record.facts["published"] == 3 and record.facts["objects"] == {"face": 5} and record.facts["wall_s"] == 2
