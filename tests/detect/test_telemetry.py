"""ONNX Runtime's packages tell Microsoft what they run, by default, and keep an identifier and a queue at home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

USE = """
from anonflow.detect.session import open_session
from tests.detect.test_session import FREE
from anonflow.errors import ModelError
open_session("m", FREE, (), "cpu", 1)
try:
    open_session("m", b"no network", (), "cpu", 1)
except ModelError:
    print("refused")
"""


def test_nothing_is_queued_or_kept_at_home(tmp_path: Path) -> None:
    silencing = {"CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS"}
    environment = {name: value for name, value in os.environ.items() if name not in silencing}
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR"):
        environment[name] = str(tmp_path)
    command = [sys.executable, "-B", "-c", USE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n", done.stderr
    assert not [path.name for path in tmp_path.rglob("*") if path.is_file()]
