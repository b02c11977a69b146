"""Private local files that exist until they are uploaded, in a folder of this process that nobody else can enter.

The folder is locked while its process lives. What a killed process left is removed by the next one on the machine.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from anonflow.errors import NoSpaceError
from anonflow.remote.access import Access

_PREFIX = "anonflow-scratch-"
_LOCK = ".lock"
_POLL_S = 0.2
_BEING_MADE_S = 60
"""A folder as young as that may not be locked yet."""


@dataclass
class _Folder:
    """The folder of this process; its lock ends with the process, however that ends."""

    path: Path
    process: int
    lock: int
    n_files: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)


_folders: dict[Path, _Folder] = {}
_making = threading.Lock()


@contextmanager
def scratch_file(name: str, access: Access) -> Iterator[Path]:
    """A local path, not yet a file, that ends in `name`; removed after the block.

    Raises:
        NoSpaceError: `access.scratch_max_bytes` are in use and nobody frees any for `access.retry_s`.
    """
    folder = _own_folder(_root(access))
    _wait_for_room(folder, access)
    path = folder.path / f"{secrets.token_hex(8)}.{name[-100:]}"
    with folder.guard:
        folder.n_files += 1
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        with folder.guard:
            folder.n_files -= 1


def remove_orphans(access: Access) -> None:
    """Remove what processes of this machine left that were killed."""
    _remove_orphans(_root(access))


def used_bytes(root: Path) -> int:
    """Bytes in all scratch folders below `root`."""
    used = 0
    for path in root.glob(f"{_PREFIX}*/*"):
        with suppress(FileNotFoundError):  # somebody is done with it
            used += path.stat().st_size
    return used


def _root(access: Access) -> Path:
    return Path(access.scratch_dir or tempfile.gettempdir())


def _own_folder(root: Path) -> _Folder:
    with _making:
        folder = _folders.get(root)
        if folder is None or folder.process != os.getpid() or not folder.path.exists():
            root.mkdir(parents=True, exist_ok=True)
            _remove_orphans(root)
            path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
            folder = _folders[root] = _Folder(path, os.getpid(), _locked(path))
            atexit.register(_remove_own, folder)
        return folder


def _remove_own(folder: _Folder) -> None:
    if folder.process == os.getpid():
        shutil.rmtree(folder.path, ignore_errors=True)


def _locked(folder: Path) -> int:
    """Take the folder's lock; the number of the open file. BlockingIOError if another process has it."""
    number = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise
    return number


def _remove_orphans(root: Path) -> None:
    for folder in root.glob(f"{_PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime < _BEING_MADE_S and not (folder / _LOCK).exists():
                continue
            number = _locked(folder)
        except OSError:  # in use, gone, or another user's
            continue
        shutil.rmtree(folder, ignore_errors=True)
        os.close(number)


def _wait_for_room(folder: _Folder, access: Access) -> None:
    """Wait for others to be done; who holds a file already goes on, so that nobody waits for himself."""
    limit = access.scratch_max_bytes
    until_s = time.monotonic() + access.retry_s
    while limit is not None and not folder.n_files and used_bytes(folder.path.parent) >= limit:
        if time.monotonic() > until_s:
            raise NoSpaceError(
                f"{folder.path.parent}: runtime.scratch_max_mb={limit // 2**20} are in use, and nothing became "
                f"free for {access.retry_s:g} s. Raise it, or let fewer tasks run at once."
            )
        time.sleep(_POLL_S)
