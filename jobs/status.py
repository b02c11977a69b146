"""How the last run on an output folder stands: `anonflow status OUTPUT [watch=true]`."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from anonflow.config.base import positive, require
from anonflow.config.finished import FinishedConfig
from anonflow.jobs.launch import DONE, FAILED, QUARANTINED, launch
from anonflow.jobs.positional import with_output
from anonflow.pipeline.state import Standing, View, last_run

_BROKEN = (Standing.DIED, Standing.FAILED, Standing.INTERRUPTED)


@dataclass(frozen=True)
class StatusConfig(FinishedConfig):
    """What is looked at."""

    watch: bool
    every_s: float
    lease_s: float

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        positive("every_s", self.every_s)
        require(self.lease_s >= 1, f"lease_s={self.lease_s} must be at least 1")


def main() -> int:
    """Run the job on the command line's arguments; give the exit code."""
    sys.argv[1:] = with_output(sys.argv[1:])
    return int(launch("status", StatusConfig, _run))


def _run(config: StatusConfig, _: Console) -> int:
    output, console = config.folder, Console()
    view = last_run(output, config.lease_s)
    if not config.watch:
        console.print(table(view))
        return exit_code(view)
    with Live(table(view), console=console, auto_refresh=False) as live:
        while view.standing is Standing.RUNNING:
            time.sleep(config.every_s)
            view = last_run(output, config.lease_s)
            live.update(table(view), refresh=True)
    return exit_code(view)


def exit_code(view: View) -> int:
    """0: nothing is in quarantine, so far; 3: something is; 1: the run broke off."""
    if view.standing in _BROKEN:
        return int(FAILED)
    return int(QUARANTINED if view.quarantined else DONE)


def table(view: View) -> Table:
    """The run in a few lines."""
    record, counts = view.record, view.record.counts
    shown = Table(show_header=False, box=None, pad_edge=False)
    error = f" ({record.error})" if record.error else ""
    shown.add_row("run", record.run_id)
    shown.add_row("state", Text(f"{view.standing}{error}", "bold red" if view.standing in _BROKEN else ""))
    shown.add_row("started", f"{record.started}, on {record.process.host}")
    shown.add_row("last sign", f"{_ago(view.age_s)} ago, after {_ago(record.elapsed_s)} of work")
    shown.add_row("sources", f"{counts.ended} of {counts.sources} ended, {view.sources_a_second:.2f} a second")
    for status, count in sorted(counts.statuses.items()):
        shown.add_row(f"  {status}", str(count))
    planned = counts.frames.get("planned", 0)
    for stage in ("detect", "mask"):
        if stage in counts.frames:
            done = min(counts.frames[stage], planned)
            shown.add_row(f"frames, {stage}", f"{done} of {planned}, {view.frames_a_second(stage):.1f} a second")
    for reason, count in sorted(counts.reasons.items(), key=lambda item: (-item[1], item[0])):
        shown.add_row("quarantined", f"{count} {reason}")
    return shown


def _ago(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    sys.exit(main())
