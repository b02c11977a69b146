"""Take what is in quarantine once more, as its last run was told to: `anonflow retry OUTPUT [KEY=VALUE ...]`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from anonflow.config import AnonymizeConfig
from anonflow.config.finished import FinishedConfig
from anonflow.errors import ConfigError
from anonflow.jobs.launch import DONE, QUARANTINED, launch
from anonflow.jobs.positional import with_output
from anonflow.jobs.regions import load_regions
from anonflow.pipeline.again import quarantines
from anonflow.pipeline.interrupts import leave
from anonflow.pipeline.run import anonymize
from anonflow.summary import print_summary

log = logging.getLogger("anonflow")

_OWN = ("output=", "storage_options", "hydra.", "hydra/")


@dataclass(frozen=True)
class RetryConfig(FinishedConfig):
    """Whose quarantine, and what is to be different this time."""

    change: dict[str, Any]


def main() -> int:
    """Run the job on the command line's arguments; give the exit code."""
    sys.argv[1:] = as_changes(with_output(sys.argv[1:]))
    return int(launch("retry", RetryConfig, _run))


def as_changes(arguments: Sequence[str]) -> list[str]:
    """Values of the run that is repeated go below `change`."""
    return [a if a.startswith(("-", "+", "~", *_OWN)) or "=" not in a else f"+change.{a}" for a in arguments]


def changed(configuration: dict[str, Any], change: dict[str, Any]) -> AnonymizeConfig:
    """The configuration of an earlier run with other values.

    Raises:
        ConfigError: a key is none of its, or a value none that it takes.
    """
    base = OmegaConf.create(configuration)
    shared = base.runtime.detections_dir
    if shared is not None and "://" not in shared and not Path(shared).exists():
        base.runtime.detections_dir = None  # those of a sweep, which has ended
    OmegaConf.set_struct(base, True)
    try:
        values: Any = OmegaConf.to_container(OmegaConf.merge(base, change))
        if isinstance(values["regions"], str):
            values["regions"] = load_regions(values["regions"])
        return TypeAdapter(AnonymizeConfig).validate_python(values)
    except OmegaConfBaseException as error:
        line = str(error).strip().splitlines()[0]
        raise ConfigError(f"{line}. Only values of the earlier run can be changed: KEY=VALUE.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{key}={first['input']}: {first['msg']}. Values can be changed, groups cannot: to use another group, "
            "run `anonflow anonymize` again."
        ) from error


def _run(config: RetryConfig, console: Console) -> int:
    found = quarantines(config.folder)
    if not found:
        log.info("Nothing is in quarantine.")
    is_left = False
    for quarantine in found:
        log.info("Taking %d inputs of run %s again", len(quarantine.uris), quarantine.run_id)
        summary = anonymize(changed(quarantine.configuration, config.change), console, quarantine.uris)
        print_summary(summary, Console())
        is_left |= bool(summary.totals.quarantined)
    return int(QUARANTINED if is_left else DONE)


if __name__ == "__main__":
    leave(main())
