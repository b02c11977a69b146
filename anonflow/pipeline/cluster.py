"""Ray: an embedded one that ends with the run, or a cluster that is there."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from contextvars import ContextVar
from pathlib import Path

import ray
from ray.data import DataContext
from ray.exceptions import AuthenticationError

from anonflow.config import RuntimeConfig
from anonflow.errors import ConfigError, RayStartError
from anonflow.observe.logs import told
from anonflow.pipeline.interrupts import Interrupted, deferred, restored
from anonflow.pipeline.resources import available_cores, cluster_has

log = logging.getLogger(__name__)

_MEBIBYTE, _GIBIBYTE = 2**20, 2**30
_START_ATTEMPTS = 3
_METRICS_EVERY_MS = 2000
"""How often processes tell Ray's agent their metrics; Ray's own default, 10 s, misses the end of a short run."""
_ENOUGH_MEMORY_BYTES = 2 * _GIBIBYTE
"""Runs on two cores were measured to take 1.2 to 2.7 GiB; at 1.4 they came forward by the minute or not at all."""
_SESSION_PREFIX = "anonflow-"
_IMPORTED_FROM = Path(__file__).parents[2]
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_NO_TOKEN = (
    "this run has no token, or another one. Set RAY_AUTH_MODE=token, and the cluster's token in ~/.ray/auth_token, "
    "in the file that RAY_AUTH_TOKEN_PATH names, or in RAY_AUTH_TOKEN."
)


_kept: ContextVar[bool] = ContextVar("kept", default=False)
"""Whether a `Connection` holds Ray, so that runs begin and end without it doing so."""


@contextmanager
def connected(config: RuntimeConfig) -> Iterator[None]:
    """Be connected to Ray within the block. Of an embedded Ray nothing is left: no process, no folder."""
    if _kept.get():
        _configure_data(config)
        with restored():
            yield
        return
    os.environ.update({name: os.environ.get(name, value) for name, value in _ENVIRONMENT.items()})
    _quiet_logs()
    folder = None if config.address else _session_folder()
    try:
        # Ray has workers import from the folder that it was started in before all others: it must be this package.
        with chdir(_IMPORTED_FROM):
            if folder is None:
                _join_cluster(str(config.address))
            else:
                _start_embedded(config, folder)
                _warn_of_little_memory(cluster_has("memory") + cluster_has("object_store_memory"))
        _configure_data(config)
        with restored():
            yield
    finally:
        with deferred():
            ray.shutdown()
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)


def _quiet_logs() -> None:
    logging.getLogger("ray").setLevel(logging.WARNING)
    logging.getLogger("ray._private.worker").addFilter(_is_no_statistic)


def _is_no_statistic(record: logging.LogRecord) -> bool:
    """Ray Data keeps statistics for its dashboard in an actor; when that dies, it complains every few seconds."""
    return "_StatsActor." not in record.getMessage()


class Connection:
    """Ray for several runs, one after the other; started anew only where a run wants another Ray."""

    def __init__(self) -> None:
        """Connected to nothing."""
        self._stack = ExitStack()
        self._wanted: tuple[object, ...] | None = None

    def be(self, config: RuntimeConfig) -> None:
        """Be connected to the Ray that `config` asks for."""
        wanted = (config.address, config.object_store_mb, config.logical_cpus_per_core, config.metrics_port)
        if wanted != self._wanted:
            self.end()
            self._stack.enter_context(connected(config))
            self._wanted = wanted
            _kept.set(True)

    def end(self) -> None:
        """End it."""
        self._wanted = None
        _kept.set(False)
        self._stack.close()


def _session_folder() -> str:
    """A folder for an embedded Ray, named after this process; those of processes that are gone are removed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_SESSION_PREFIX}*-*"):
        owner = folder.name.removeprefix(_SESSION_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and Path("/proc").exists():
            shutil.rmtree(folder, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{_SESSION_PREFIX}{os.getpid()}-")


@contextmanager
def _kept_sigterm() -> Iterator[None]:
    """Ray takes SIGTERM for itself when it starts, and ends the process without a clean-up.

    Its C++ code answers with an alarm that aborts the process 3 s later, which is kept from it and dropped.
    """
    handler, timer = signal.getsignal(signal.SIGTERM), signal.getitimer(signal.ITIMER_REAL)
    alarmed, mask = signal.getsignal(signal.SIGALRM), signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        yield
    except SystemExit as ended:
        raise Interrupted(signal.SIGTERM) from ended
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            signal.signal(signal.SIGALRM, signal.SIG_DFL if alarmed is None else alarmed)


def _start_embedded(config: RuntimeConfig, folder: str) -> None:
    """Start Ray; again where it was too slow for its own patience, as on a machine that is busy."""
    for attempt in range(1, _START_ATTEMPTS + 1):
        try:
            _start_once(config, folder)
            return
        except Exception as error:  # Ray has no class of its own for this
            if "timed out" not in str(error):
                raise
            ray.shutdown()
            if attempt == _START_ATTEMPTS:
                raise RayStartError(
                    f"Ray did not start in {attempt} attempts of half a minute each. The machine is too busy, or "
                    "its memory is used up: run again when there is less to do, or lower runtime.object_store_mb."
                ) from error
            log.warning("Ray did not start in time; trying again")


def _warn_of_little_memory(n_bytes: float) -> None:
    if n_bytes < _ENOUGH_MEMORY_BYTES:
        log.warning(
            "There are only %.1f GiB of memory to run in. With less than 2, workers may be killed again and again.",
            n_bytes / _GIBIBYTE,
            extra=told("little_memory", gib=round(n_bytes / _GIBIBYTE, 1)),
        )


def _start_once(config: RuntimeConfig, folder: str) -> None:
    with _quiet_stderr(), _kept_sigterm():
        ray.init(
            num_cpus=max(1, round(available_cores() * config.logical_cpus_per_core)),
            object_store_memory=config.object_store_mb * _MEBIBYTE,
            include_dashboard=False,
            # The port of Ray's agent, which answers whether the dashboard is on or not; else it takes a free one.
            _metrics_export_port=config.metrics_port,
            _system_config={} if config.metrics_port is None else {"metrics_report_interval_ms": _METRICS_EVERY_MS},
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=folder,
        )


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Ray's core prints, while it starts, that it was told to print less; failures are raised, not printed."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _join_cluster(address: str) -> None:
    someone_listens = False
    try:
        someone_listens = _knock(address)
        with _quiet_stderr(), _kept_sigterm():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except AuthenticationError as error:
        raise ConfigError(f"runtime.address={address}: {_NO_TOKEN}") from error
    except (ConnectionError, OSError) as error:
        if someone_listens:
            raise ConfigError(
                f"runtime.address={address}: it answers, but does not let this run in. If it is a Ray cluster that "
                f"asks for a token: {_NO_TOKEN}"
            ) from error
        raise ConfigError(
            f"runtime.address={address}: no Ray cluster answers there. Start one (`ray start --head`), "
            "correct the address, or leave it out to run embedded."
        ) from error


def _knock(address: str) -> bool:
    """Whether it is known that somebody listens. OSError if nobody does at HOST:PORT, where Ray would try on."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return False
    with socket.create_connection((host, int(port)), timeout=10):
        return True


def _configure_data(config: RuntimeConfig) -> None:
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # With one chunk an actor, a pool whose actors are all busy is at 1: time for another, where there is room.
    context.autoscaling_config.actor_pool_util_upscaling_threshold = 1.0
    # It would take slow work for a stall, which has time limits of its own; `stall` tells them apart.
    context.execution_no_progress_timeout_s = -1
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    # A small run has fewer inputs than workers.
    warnings.filterwarnings("ignore", message="The (maximum|minimum) number of concurrent", module="ray")
