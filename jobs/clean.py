"""Remove what runs left on their way: `anonflow clean OUTPUT [dry_run=true] [runs_older_than_d=90]`."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from anonflow.config.base import not_negative, require
from anonflow.config.finished import FinishedConfig
from anonflow.errors import one_line
from anonflow.jobs.launch import DONE, launch
from anonflow.jobs.positional import with_output
from anonflow.pipeline.leftovers import FOLDERS, Leftover, clean
from anonflow.storage import StoragePath


@dataclass(frozen=True)
class CleanConfig(FinishedConfig):
    """What is removed."""

    dry_run: bool
    runs_older_than_d: float | None
    lease_s: float

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        not_negative("runs_older_than_d", self.runs_older_than_d)
        require(self.lease_s >= 1, f"lease_s={self.lease_s} must be at least 1")


def main() -> int:
    """Run the job on the command line's arguments; give the exit code."""
    sys.argv[1:] = with_output(sys.argv[1:])
    return int(launch("clean", CleanConfig, _run))


def _run(config: CleanConfig, _: Console) -> int:
    found = clean(config.folder, config.runs_older_than_d, config.lease_s, dry_run=config.dry_run)
    console = Console()
    for line in lines(found):
        console.print(Text(line), soft_wrap=True)
    verb = "would be removed" if config.dry_run else "removed"
    total = sum(leftover.n_bytes for leftover in found)
    console.print(f"{sum(leftover.n_files for leftover in found)} files, {_size(total)} {verb}", highlight=False)
    return int(DONE)


def lines(found: list[Leftover]) -> list[str]:
    """One for each folder: its own, or that of single files of a kind."""
    by_place: dict[tuple[str, StoragePath], list[Leftover]] = defaultdict(list)
    for leftover in found:
        place = leftover.path if leftover.kind in FOLDERS else leftover.path.parent
        by_place[leftover.kind, place].append(leftover)
    return [
        f"{kind:<20}{sum(one.n_files for one in group):>8} files {_size(sum(one.n_bytes for one in group)):>12}  "
        f"{one_line(str(place))}"
        for (kind, place), group in by_place.items()
    ]


def _size(n_bytes: int) -> str:
    size, unit = float(n_bytes), "B"
    for bigger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, bigger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


if __name__ == "__main__":
    sys.exit(main())
