from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from anonflow.errors import NoSpaceError
from anonflow.remote.access import Access
from anonflow.remote.scratch import remove_orphans, scratch_file, used_bytes

KILLED = """
import os, signal, sys
from anonflow.remote.access import Access
from anonflow.remote.scratch import scratch_file
with scratch_file("x.mp4", Access(scratch_dir=sys.argv[1])) as path:
    path.write_bytes(b"x" * 100)
    print(path, flush=True)
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""


def access(folder: Path, **changes: Any) -> Access:
    return Access(scratch_dir=str(folder), **changes)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]


def test_a_file_is_private_and_gone_after_its_block(tmp_path: Path) -> None:
    with pytest.raises(KeyError), scratch_file("clip.mp4", access(tmp_path)) as path:
        path.write_bytes(b"x")
        assert path.suffix == ".mp4" and path.is_relative_to(tmp_path)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        raise KeyError
    assert files(tmp_path) == []


def test_a_name_may_be_anything(tmp_path: Path) -> None:
    with scratch_file("x" * 300 + ".mp4", access(tmp_path)) as path:
        path.write_bytes(b"x")


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", KILLED, tmp_path, "kill"], capture_output=True, check=False)
    assert dead.returncode == -9 and len(files(tmp_path)) == 1
    alive = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert alive.stdout is not None
    path = Path(alive.stdout.readline().strip())
    try:
        remove_orphans(access(tmp_path))
        assert files(tmp_path) == [path]
    finally:
        alive.communicate("", timeout=30)
    assert not path.parent.exists(), "a process that ends leaves nothing"


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "anonflow-other").mkdir()
    (tmp_path / "anonflow-other" / "x").touch()
    remove_orphans(access(tmp_path))
    assert (tmp_path / "anonflow-other" / "x").exists()


def test_a_new_file_waits_for_room(tmp_path: Path) -> None:
    other = tmp_path / "anonflow-scratch-other"
    other.mkdir()
    (other / "big").write_bytes(b"x" * 1000)
    assert used_bytes(tmp_path) == 1000
    with (
        pytest.raises(NoSpaceError, match="scratch_max_mb"),
        scratch_file("a", access(tmp_path, scratch_max_bytes=1000, retry_s=0.1)),
    ):
        pass
    freed = threading.Timer(0.3, (other / "big").unlink)
    freed.start()
    with scratch_file("a", access(tmp_path, scratch_max_bytes=1000, retry_s=30)):
        assert not (other / "big").exists()


def test_who_holds_a_file_does_not_wait_for_himself(tmp_path: Path) -> None:
    limited = access(tmp_path, scratch_max_bytes=10, retry_s=0.1)
    with scratch_file("a", limited) as one:
        one.write_bytes(b"x" * 100)
        with scratch_file("b", limited):
            pass
