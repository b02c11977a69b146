"""What becomes of runs that are disturbed, as a table:

python -m tests.faults.table [--rounds N] [CASE ...]

The exit code is 1 if anything was lost, doubled, partial or left running, or if an output differs from that of an
undisturbed run.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults import files, kills, places, stalls
from tests.faults.bench import Bench, Finding

CASES: dict[str, Callable[[Bench], list[Finding]]] = {
    "workers": kills.workers,
    "driver": kills.driver,
    "random": kills.at_random,
    "sigterm": partial(kills.signals, numbers=(signal.SIGTERM,)),
    "sigint_twice": partial(kills.signals, numbers=(signal.SIGINT, signal.SIGINT), seed=4),
    "sigterm_twice": partial(kills.signals, numbers=(signal.SIGTERM, signal.SIGTERM), seed=5),
    "poisoned": files.poisoned,
    "detector": files.detector,
    "memory": files.memory,
    "hangs": stalls.hangs,
    "stopped_driver": stalls.stopped_driver,
    "stopped_run": stalls.stopped_for_a_while,
    "starved": stalls.starved,
    "clock": stalls.clock,
    "object_store": places.object_store,
    "work_full": places.work_full,
    "work_freed": places.work_freed,
    "work_removed": places.work_removed,
    "output_full": places.output_full,
    "output_removed": places.output_removed,
    "read_only": places.read_only,
    "inputs": places.inputs,
}
_HEAD = "| fault | what was done | lost | doubled | partial | orphans | equal | took | beyond undisturbed | |"


def main() -> int:
    """Print a row for each finding as it comes; give the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    given = parser.parse_args()
    well = True
    print(f"{_HEAD}\n|{'---|' * 10}", flush=True)
    with tempfile.TemporaryDirectory(prefix="faults") as folder:
        bench = Bench(Path(folder))
        for name in [*(given.cases or CASES)] * given.rounds:
            for found in CASES[name](bench):
                well &= found.is_well
                print(line(found), flush=True)
    return int(not well)


def line(found: Finding) -> str:
    """A finding as a line of the table."""
    cells = (
        found.fault, found.done, found.lost, found.doubled, found.partial, found.orphans,
        "yes" if found.equal else "**no**", f"{found.seconds} s", f"{found.extra_s} s", found.note,
    )  # fmt: skip
    return f"| {' | '.join(str(cell) for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main())
