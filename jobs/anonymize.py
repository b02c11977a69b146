"""Hide faces and licence plates: `python jobs/anonymize.py input=... output=... [KEY=VALUE ...]`."""

from __future__ import annotations

import logging
from functools import partial

from rich.console import Console

from anonflow.calibrate.record import broken_record
from anonflow.config import AnonymizeConfig
from anonflow.jobs.launch import DONE, QUARANTINED, launch
from anonflow.jobs.sweeps import Sweep, sweeping
from anonflow.pipeline.interrupts import interruptible, leave
from anonflow.pipeline.run import anonymize
from anonflow.summary import log_summary, print_summary

log = logging.getLogger("anonflow")


def main() -> int:
    """Run the job on the command line's overrides; give the exit code."""
    with interruptible(), sweeping() as sweep:
        code = int(launch("anonymize", AnonymizeConfig, partial(_run, sweep)))
        if code in (DONE, QUARANTINED):
            sweep.forget()
        return code


def _run(sweep: Sweep, config: AnonymizeConfig, console: Console) -> int:
    if gap := broken_record(config):
        log.warning("No certificate for this run: %s. Run anonflow calibrate with these settings.", gap)
    summary = anonymize(sweep.one_of(config), console)
    if config.runtime.log_format == "json":
        log_summary(summary)
    else:
        print_summary(summary, Console(), names_files=config.runtime.logs_paths)
    return int(QUARANTINED if summary.totals.quarantined else DONE)


if __name__ == "__main__":
    leave(main())
