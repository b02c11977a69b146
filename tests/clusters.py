"""Ray clusters of several nodes on this machine, each as on a machine of its own, and ended by process id."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.runs import MARK, marked

RAY = (sys.executable, "-c", "from ray.scripts.scripts import main; main()")
NO_TOKEN = {"RAY_AUTH_MODE": "disabled"}
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
# A node that is gone is noticed within some five seconds, and a machine that is busy is given its time.
_PATIENT = {
    "RAY_health_check_initial_delay_ms": "5000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "10000",
    "RAY_health_check_failure_threshold": "5",
    "RAY_raylet_start_wait_time_s": "180",
}
_LIBC, _PR_SET_PDEATHSIG = ctypes.CDLL(None), 1
_STARTED, _ATTEMPTS = "Ray runtime started", 2


@dataclass
class Node:
    """A `ray start --block` and all that it started, found by the mark in their environment."""

    process: subprocess.Popen[str]
    mark: str
    log: Path

    def processes(self, word: str = "") -> list[int]:
        """Process ids of the node whose command line holds `word`."""
        return marked(self.mark, word)

    def kill(self) -> None:
        """As if the machine lost its power: SIGKILL to all of it, the parents first."""
        for _ in range(20):
            for pid in sorted(self.processes()):
                _signal(pid, signal.SIGKILL)
            if not self.processes():
                return
            time.sleep(0.05)

    def end(self) -> None:
        """Ask it to end; insist after a while."""
        _signal(self.process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=3)
        self.kill()
        self.process.wait(timeout=10)


@dataclass
class LocalCluster:
    """A head and workers. Every node has its own temporary folder, as on machines that share nothing."""

    environment: Mapping[str, str] = field(default_factory=lambda: NO_TOKEN)
    # Sockets lie below it, whose paths may have 107 bytes.
    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="anf-", dir="/tmp")))
    nodes: list[Node] = field(default_factory=list)
    address: str = ""

    def start_head(
        self, cpus: int = 1, address: str = "127.0.0.1", prefix: Sequence[str] = (), arguments: Sequence[str] = ()
    ) -> Node:
        """Start the head; `prefix` runs it elsewhere (`ip netns exec NAME`)."""
        port = free_port()
        given = ["--head", f"--port={port}", f"--ray-client-server-port={free_port()}", *arguments]
        if not any("--include-dashboard" in argument for argument in arguments):
            given.append("--include-dashboard=false")
        self.address = f"{address}:{port}"
        return self._start([*given, f"--node-ip-address={address}"], cpus, prefix)

    def add(
        self, cpus: int = 2, address: str = "127.0.0.1", prefix: Sequence[str] = (), arguments: Sequence[str] = ()
    ) -> Node:
        """Start a worker node that joins the head."""
        given = [f"--address={self.address}", f"--node-ip-address={address}", *arguments]
        return self._start(given, cpus, prefix)

    def end(self) -> None:
        """End all nodes, the head last."""
        for node in reversed(self.nodes):
            node.end()
        shutil.rmtree(self.root, ignore_errors=True)

    def _start(self, arguments: Sequence[str], cpus: int, prefix: Sequence[str]) -> Node:
        """Ray gives up a raylet that takes too long to start, on a very busy machine; then once more."""
        for _ in range(_ATTEMPTS - 1):
            node = self._begin(arguments, cpus, prefix)
            if _says(node, _STARTED, may_end=True):
                return node
            node.kill()
            self.nodes.remove(node)
            shutil.rmtree(node.log.with_suffix(""))
        node = self._begin(arguments, cpus, prefix)
        _says(node, _STARTED)
        return node

    def _begin(self, arguments: Sequence[str], cpus: int, prefix: Sequence[str]) -> Node:
        name = f"n{len(self.nodes)}"
        folder, log, mark = self.root / name, self.root / f"{name}.log", f"{os.getpid()}-{time.monotonic_ns()}"
        folder.mkdir(parents=True)
        options = [
            f"--num-cpus={cpus}",
            "--num-gpus=0",
            f"--object-store-memory={80 * 2**20}",
            f"--temp-dir={folder}",
            "--min-worker-port=0",
            "--max-worker-port=0",
            "--dashboard-agent-listen-port=0",
        ]
        with log.open("w") as out:
            process = subprocess.Popen(
                [*prefix, *RAY, "start", "--block", *arguments, *options],
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                env=os.environ | _QUIET | _PATIENT | dict(self.environment) | {MARK: mark},
                start_new_session=True,
                # A test that is killed leaves no node behind.
                preexec_fn=_end_with_the_test,  # noqa: PLW1509  # it calls nothing that takes a lock
            )
        node = Node(process, mark, log)
        self.nodes.append(node)
        return node


@contextmanager
def cluster_of(
    *cpus: int, environment: Mapping[str, str] = NO_TOKEN, arguments: Sequence[str] = ()
) -> Iterator[LocalCluster]:
    """A cluster of a head with `cpus[0]` logical CPUs and a worker node for each of the others."""
    cluster = LocalCluster(environment)
    try:
        cluster.start_head(cpus[0], arguments=arguments)
        for each in cpus[1:]:
            cluster.add(each)
        yield cluster
    finally:
        cluster.end()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _says(node: Node, line: str, *, may_end: bool = False, timeout_s: float = 240) -> bool:
    """Whether a node's log comes to hold `line`; False only if the node `may_end` before."""
    until = time.monotonic() + timeout_s
    while line not in node.log.read_text():
        if node.process.poll() is not None and may_end:
            return False
        assert node.process.poll() is None, f"the node ended: {node.log.read_text()}"
        assert time.monotonic() < until, f"the node did not start: {node.log.read_text()}"
        time.sleep(0.1)
    return True


def _end_with_the_test() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
