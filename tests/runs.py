"""Running the program as its users do, in a process of its own whose every descendant can be found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MARK = "ANONFLOW_TEST_RUN"
SMALL = [
    "detector=faces",
    "detector.face.long_side_px=640",
    "runtime.detect.max_workers=1",
    "runtime.object_store_mb=80",
    "video.preset=ultrafast",
]


@dataclass
class Run:
    """A run that was started, and the mark that all its processes carry in their environment."""

    process: subprocess.Popen[str]
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def finish(self, timeout_s: float = 240) -> tuple[int, str]:
        """Wait for the end; exit code and everything printed."""
        printed, _ = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, printed

    def descendants(self, word: str = "") -> list[int]:
        """Process ids of the run, its own aside, whose command line holds `word`."""
        return [pid for pid in marked(self.mark, word) if pid != self.process.pid]


def start(*arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> Run:
    """Start `anonflow` with these arguments, and `environment` on top of this process's own."""
    mark = uuid.uuid4().hex
    variables = os.environ | {MARK: mark, "COLUMNS": "200"} | dict(environment or {})
    process = subprocess.Popen(
        [sys.executable, "-m", "anonflow.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=variables,
        cwd=cwd,
        start_new_session=True,
        # A shell has its background jobs ignore SIGINT, and so would the run that is to be interrupted.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # no threads here
    )
    return Run(process, mark)


def anonflow(
    *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run `anonflow`; exit code and everything printed."""
    return start(*arguments, cwd=cwd, environment=environment).finish()


def wait_until(condition: Callable[[], object], run: Run, timeout_s: float = 120) -> None:
    """Wait for something to come true while the run is alive."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert run.process.poll() is None, f"the run ended early: {run.finish()}"
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.05)


def gone(run: Run, timeout_s: float = 30) -> bool:
    """Whether all processes of the run end within the time.

    Ray's two agents look for its control process for a minute after a SIGKILL before they end as well; they never
    see a picture and are left out.
    """
    until = time.monotonic() + timeout_s
    while set(run.descendants()) - set(run.descendants("Agent")):
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def files_below(folder: Path) -> set[str]:
    """Relative paths of all files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def marked(mark: str, word: str = "") -> list[int]:
    """Ids of the processes that carry `mark` in their environment and `word` in their command line."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if wanted in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:  # it ended while we looked
                continue
    return [pid for pid in found if word in command_line(pid)]


def command_line(pid: int) -> str:
    """Of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""
