from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.exceptions import AuthenticationError

import anonflow
from anonflow.config import RuntimeConfig
from anonflow.errors import ConfigError, RayStartError
from anonflow.pipeline import cluster
from anonflow.pipeline.cluster import Connection, connected
from anonflow.pipeline.interrupts import Interrupted, interruptible, restored
from tests.pipeline.worlds import configuration

EMBEDDED = """
import glob, os, sys, tempfile
from pathlib import Path
tempfile.tempdir = sys.argv[1]
from anonflow.pipeline.cluster import connected
from tests.pipeline.worlds import configuration
import ray
try:
    with connected(configuration("runtime.object_store_mb=80").runtime):
        assert ray.is_initialized() and os.listdir(sys.argv[1])
        raise KeyboardInterrupt
except KeyboardInterrupt:
    print("initialised" if ray.is_initialized() else "gone", os.listdir(sys.argv[1]))
"""


@pytest.mark.slow
def test_nothing_is_left_of_an_embedded_ray(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", EMBEDDED, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.stdout.split("\n")[0] == "gone []", ended.stderr
    assert ended.stderr == ""


def test_a_cluster_that_does_not_answer_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(cluster.ray, "init", refuse)
    monkeypatch.setattr(cluster.ray, "shutdown", lambda: None)
    with pytest.raises(ConfigError, match="ray start"), connected(configuration("runtime=cluster").runtime):
        raise AssertionError("connected")


@pytest.mark.parametrize("n_failures", [2, 3])
def test_a_ray_that_is_too_slow_to_start_is_started_again(monkeypatch: pytest.MonkeyPatch, n_failures: int) -> None:
    started: list[int] = []

    def start(**_: Any) -> None:
        started.append(1)
        if len(started) <= n_failures:
            raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(cluster.ray, "init", start)
    monkeypatch.setattr(cluster.ray, "shutdown", lambda: None)
    with nullcontext() if n_failures < 3 else pytest.raises(RayStartError, match="busy"):
        cluster._start_embedded(configuration().runtime, "folder")
    assert len(started) == 3


def test_a_sigterm_that_ray_takes_for_itself_while_it_starts_is_an_interrupt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start(**_: Any) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        signal.alarm(10**6)  # as the failure handler of Abseil does
        os.kill(os.getpid(), signal.SIGTERM)

    before, (alarm_s, _) = signal.getsignal(signal.SIGTERM), signal.getitimer(signal.ITIMER_REAL)
    monkeypatch.setattr(cluster.ray, "init", start)
    with pytest.raises(Interrupted) as caught:
        cluster._start_embedded(configuration().runtime, "folder")
    assert caught.value.exit_code == 143 and signal.getsignal(signal.SIGTERM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] <= alarm_s, "the process would be aborted while it cleans up"


def test_a_signal_while_ray_is_waited_for_is_an_interrupt(embedded_ray: RuntimeConfig) -> None:
    """Ray's C code raises a KeyboardInterrupt of its own instead."""
    held = ray.remote(num_cpus=0)(lambda: time.sleep(600)).remote()
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
    with interruptible(), pytest.raises(Interrupted) as caught, restored():
        timer.start()
        ray.get(held)
    ray.cancel(held, force=True)
    assert caught.value.exit_code == 143


def test_a_ray_that_cannot_start_is_not_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(**_: Any) -> None:
        raise ValueError("no such option")

    monkeypatch.setattr(cluster.ray, "init", start)
    with pytest.raises(ValueError, match="no such option"):
        cluster._start_embedded(configuration().runtime, "folder")


@pytest.mark.parametrize("error", [ConnectionError(), AuthenticationError("")], ids=lambda e: type(e).__name__)
def test_a_cluster_that_does_not_let_a_run_in_tells_of_the_token(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(**_: Any) -> None:
        raise error

    monkeypatch.setattr(cluster.ray, "init", refuse)
    monkeypatch.setattr(cluster.ray, "shutdown", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"runtime.address=127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(ConfigError, match="RAY_AUTH_TOKEN_PATH"), connected(configuration(address).runtime):
            raise AssertionError("connected")


def test_the_runtime_on_a_cluster_joins_it() -> None:
    assert configuration("runtime=cluster").runtime.address == "auto"


def test_workers_import_the_package_of_the_driver_whatever_lies_in_the_working_folder(tmp_path: Path) -> None:
    """As in a checkout of another version, from which an installed command is called."""
    (tmp_path / "anonflow").mkdir()
    (tmp_path / "anonflow" / "__init__.py").write_text("raise ImportError('another version')")
    program = """
import ray
from anonflow.pipeline.cluster import connected
from tests.pipeline.worlds import configuration

@ray.remote
def where():
    import anonflow.jobs.demo
    return anonflow.__file__

with connected(configuration("runtime.object_store_mb=80").runtime):
    print(ray.get(where.remote()))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert Path(done.stdout.strip()).parent == Path(anonflow.__file__).parent


@pytest.mark.parametrize(("gib", "said"), [(1.4, 1), (2.0, 0)])
def test_too_little_memory_is_said_at_the_start(gib: float, said: int, caplog: pytest.LogCaptureFixture) -> None:
    cluster._warn_of_little_memory(gib * 2**30)
    assert [record.facts for record in caplog.records] == [{"gib": gib}] * said


def test_runs_that_ask_for_the_same_ray_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    @contextmanager
    def started(config: RuntimeConfig) -> Iterator[None]:
        events.append(f"start {config.object_store_mb}")
        yield
        events.append("end")

    monkeypatch.setattr(cluster, "connected", started)
    monkeypatch.setattr(cluster, "_configure_data", lambda config: events.append("configure"))
    connection = Connection()
    for megabytes in (80, 80, 90):
        connection.be(configuration(f"runtime.object_store_mb={megabytes}").runtime)
        with connected(configuration().runtime):  # as a run does: nothing is started or ended
            pass
    connection.end()
    assert events == ["start 80", "configure", "configure", "end", "start 90", "configure", "end"]
