"""What every Hydra job does around its work: typed configuration, logging, exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.logging import RichHandler

from anonflow.config import VideoRegions
from anonflow.errors import AnonflowError, ConfigError, ModelError
from anonflow.jobs.regions import load_regions

log = logging.getLogger("anonflow")

DONE, FAILED, USAGE, QUARANTINED = 0, 1, 2, 3
INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM

Config = TypeVar("Config")
Job = Callable[[Config, Console], int]


class Terminated(KeyboardInterrupt):
    """SIGTERM: end as cleanly as on Ctrl-C."""


def launch(name: str, schema: type[Config], job: Job[Config]) -> int:
    """Run the Hydra job `name` on the command line's overrides; give the exit code, the worst of a sweep's runs."""
    codes: list[int] = []

    @hydra.main(version_base="1.3", config_path="pkg://anonflow.conf", config_name=name)
    def task(composed: DictConfig) -> None:
        if codes and codes[-1] in (INTERRUPTED, TERMINATED):
            return  # so are the runs of the sweep that are left
        codes.append(FAILED)  # until the run says better
        codes[-1] = run(composed, schema, job)

    signal.signal(signal.SIGTERM, _terminate)
    try:
        task()
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
    _log_to(console)
    try:
        return job(typed(composed, schema), console)
    except (ConfigError, ModelError) as error:
        log.error("%s", error)
        return USAGE
    except AnonflowError as error:
        log.error("%s", error)
        return FAILED
    except KeyboardInterrupt as interrupt:
        log.error("Interrupted. Nothing partial was published; the same command goes on from here.")
        return TERMINATED if isinstance(interrupt, Terminated) else INTERRUPTED
    except Exception:
        log.exception("This is a defect of anonflow; please report it with the lines above and below.")
        return FAILED


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


def _log_to(console: Console) -> None:
    handler: logging.Handler
    if console.is_terminal:
        handler = RichHandler(console=console, show_path=False, show_time=False)
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    log.propagate = False


def _terminate(_signal: int, _frame: FrameType | None) -> Any:
    raise Terminated
