"""What every Hydra job does around its work: typed configuration, logging, exit codes."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.logging import RichHandler

from anonflow.config import RuntimeConfig, VideoRegions
from anonflow.errors import AnonflowError, ConfigError, ModelError
from anonflow.jobs.regions import load_regions
from anonflow.observe.logs import TextLines, formatter, told
from anonflow.pipeline.interrupts import HANDLED, Interrupted, interruptible, settle

log = logging.getLogger("anonflow")

DONE, FAILED, USAGE, QUARANTINED = 0, 1, 2, 3
INTERRUPTED = tuple(128 + number for number in HANDLED)

Config = TypeVar("Config")
Job = Callable[[Config, Console], int]


def launch(name: str, schema: type[Config], job: Job[Config]) -> int:
    """Run the Hydra job `name` on the command line's overrides; give the exit code, the worst of a sweep's runs."""
    codes: list[int] = []

    @hydra.main(version_base="1.3", config_path="pkg://anonflow.conf", config_name=name)
    def task(composed: DictConfig) -> None:
        if codes and codes[-1] in INTERRUPTED:
            return  # so are the runs of the sweep that are left
        codes.append(FAILED)  # until the run says better
        codes[-1] = run(composed, schema, job)

    try:
        with interruptible():
            task()
    except Interrupted as interrupt:
        return interrupt.exit_code  # after the job: nothing is left to clean up
    except SystemExit as ended:
        # Hydra has said what is wrong with the command line.
        return USAGE if ended.code and not codes else max([DONE, *codes])
    except HydraException as error:
        # Under a debugger or a tracer, and with HYDRA_FULL_ERROR=1, Hydra leaves the saying to others.
        if os.environ.get("HYDRA_FULL_ERROR"):
            raise
        sys.stderr.write(f"{error}\n")
        return USAGE
    return max([DONE, *codes])


def run(composed: DictConfig, schema: type[Config], job: Job[Config]) -> int:
    """Run a job on a composed configuration; every failure becomes a line and an exit code."""
    console = Console(stderr=True)
    wants_json = OmegaConf.select(composed, "runtime.log_format") == "json"
    _log_to(
        console, "json" if wants_json else "text", names_files=True
    )  # until all is checked: only options are named
    try:
        config = typed(composed, schema)
        runtime = getattr(config, "runtime", None)
        if isinstance(runtime, RuntimeConfig):
            _log_to(console, runtime.log_format, names_files=runtime.logs_paths)
        return job(config, console)
    except (ConfigError, ModelError) as error:
        log.error("%s", error, extra=_told_of(error))
        return USAGE
    except AnonflowError as error:
        log.error("%s", error, extra=_told_of(error))
        return FAILED
    except Interrupted as interrupt:
        settle()
        message = "Interrupted. Nothing partial was published; the same command goes on from here."
        log.error(message, extra=told("interrupted"))
        return interrupt.exit_code
    except Exception:
        message = "This is a defect of anonflow; please report it with the lines above and below."
        log.exception(message, extra=told("defect"))
        return FAILED


def _told_of(error: AnonflowError) -> dict[str, object]:
    """What happened, where an error's text may not be given."""
    name = type(error).__name__
    hidden = f"{name} ({error.reason}). runtime.log_paths=true has its text, which may name files."
    return told("error", hidden if error.names_files else None, error=name, reason=error.reason)


def typed(composed: DictConfig, schema: type[Config]) -> Config:
    """The configuration as frozen dataclasses, every key and value checked."""
    try:
        values: Any = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
        if "regions" in values:
            values["regions"] = _regions(values["regions"])
        return TypeAdapter(schema).validate_python(values)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{_first_line(error)}. See --help for what can be set.") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{key}={first['input']}: {first['msg']}. See --help for what can be set.") from error


def _regions(given: Any) -> list[VideoRegions]:
    """What the file says, not its name: so results are found again by the regions that made them."""
    if given is None:
        return []
    if not isinstance(given, str):
        raise ConfigError(f"regions={given} must be the path of a YAML file. See --help for what can be set.")
    regions: list[VideoRegions] = load_regions(given)
    return regions


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _log_to(console: Console, log_format: str, *, names_files: bool) -> None:
    handler: logging.Handler
    if console.is_terminal and log_format == "text":
        handler = RichHandler(console=console, show_path=False, show_time=False)
        handler.setFormatter(TextLines(names_files=names_files, with_time=False))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(formatter(log_format, names_files=names_files))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False
