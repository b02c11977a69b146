"""The short table at the end of a run."""

from __future__ import annotations

import logging

from rich.console import Console
from rich.table import Table
from rich.text import Text

from anonflow.errors import one_line
from anonflow.observe.logs import told
from anonflow.pipeline.finish import Summary

log = logging.getLogger(__name__)


def log_summary(summary: Summary) -> None:
    """Log what came out, for those who read logs only; the sources' ends were logged one by one."""
    totals = summary.totals
    counts = {
        name: getattr(totals, name) for name in ("published", "unchanged", "quarantined", "frames", "pictures")
    }
    log.info(
        "The run has ended",
        extra=told("summary", **counts, objects=totals.objects, wall_s=round(summary.wall_s, 3)),
    )


def print_summary(summary: Summary, console: Console, *, names_files: bool = True) -> None:
    """Print what came out, why what did not come out did not, and where the record lies."""
    totals = summary.totals
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("published", str(totals.published))
    table.add_row("unchanged", str(totals.unchanged))
    table.add_row("quarantined", str(totals.quarantined))
    if totals.pictures:
        table.add_row("pictures", f"{totals.pictures} ({totals.pictures / summary.wall_s:.1f} a second)")
    table.add_row("frames", f"{totals.frames} ({totals.frames / summary.wall_s:.1f} a second, start-up included)")
    for label, count in sorted(totals.objects.items()):
        table.add_row(f"{label} tracks", str(count))
    for label, count in sorted(totals.picture_objects.items()):
        table.add_row(f"{label} masks", f"{count} in pictures")
    console.print(table)
    console.print(Text(f"{'report':<14}{summary.report}"), soft_wrap=True)
    if summary.page is not None:
        console.print(Text(f"{'page':<14}{summary.page}"), soft_wrap=True)
    _print_quarantined(summary, console, names_files=names_files)


def _print_quarantined(summary: Summary, console: Console, *, names_files: bool) -> None:
    for outcome in summary.quarantined:
        told_of = one_line(outcome.message) if names_files else f"source {outcome.video_id}"
        console.print(Text(f"quarantined  {outcome.reason}: {told_of}"), soft_wrap=True)
    if (more := summary.totals.quarantined - len(summary.quarantined)) > 0:
        console.print(f"... and {more} more, see {summary.ledger}", soft_wrap=True)
