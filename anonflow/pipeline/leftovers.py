"""What runs have left on their way, and nobody needs for a result: found, counted, removed.

Never a result, a ledger or a marker. Folders of old runs, with their ledgers, go only when somebody says how old.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from anonflow.config.stores import given_options
from anonflow.errors import ConfigError
from anonflow.pipeline.lease import LEASE_FOLDER, held, live_holder, output_lease, work_lease
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.pipeline.record import records
from anonflow.pipeline.seal import ROOT_NAME, SIGNATURE_NAME
from anonflow.remote.access import Access
from anonflow.storage import (
    StoragePath,
    located,
    naming_storage_errors,
    remove_all,
    remove_empty_folders,
    remove_tree,
)

SHARED_FOLDER = "sweep"
"""Where an interrupted sweep left its detections."""
WORK_PARTS = ("index", "detections", "tracks", "plan", "segments", "runs")
"""Folders of a work folder. Whatever else lies in one that somebody chose is not ours."""
FOLDERS = ("work", "unfinished results", "run")
"""Kinds of leftovers that are folders; the others are files."""
_PARTIAL = re.compile(r"\.[0-9a-f]{16}\.partial")
_RUN_ID = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]+")


@dataclass(frozen=True)
class Leftover:
    """A file or a folder that can go."""

    kind: str
    path: StoragePath
    n_files: int
    n_bytes: int


def find_leftovers(output: StoragePath, runs_older_than_d: float | None = None) -> Iterator[Leftover]:
    """What can go below an output folder and in the work folders that its runs used."""
    control = output / CONTROL_FOLDER
    for work in work_folders(output):
        for part in WORK_PARTS:
            yield from _folder("work", work / part)
    yield from _folder("work", control / SHARED_FOLDER)
    yield from _folder("unfinished results", control / "partial")
    for path in _unfinished(output):
        yield Leftover("unfinished file", path, 1, path.stat().st_size)
    for path in _signs(output_lease(output)):
        yield Leftover("lease", path, 1, path.stat().st_size)
    if runs_older_than_d is not None:
        for folder in _old_runs(control, datetime.now(UTC) - timedelta(days=runs_older_than_d)):
            yield from _run(folder)


def clean(output: StoragePath, runs_older_than_d: float | None, lease_s: float, *, dry_run: bool) -> list[Leftover]:
    """Remove the leftovers, or with `dry_run` only find them; give what they were.

    Raises:
        ConfigError: the folder has seen no run, or a run is at work on it or in one of its work folders.
    """
    if not (output / CONTROL_FOLDER).is_dir():
        raise ConfigError(f"{output}: no run has been here. Give the output folder of `anonflow anonymize`.")
    folders = sorted({output_lease(output), *map(work_lease, work_folders(output))}, key=str)
    if dry_run:
        for folder in folders:
            if holder := live_holder(folder, lease_s):
                raise ConfigError(f"A run is using {folder.parent}: {holder}. Wait for it to end.")
        return list(find_leftovers(output, runs_older_than_d))
    with held(folders, "clean", lease_s) as hold:
        found = list(find_leftovers(output, runs_older_than_d))
        for leftover in found:
            hold.check()
            _remove(leftover)
        remove_empty_folders(output / CONTROL_FOLDER / "work")
    return found


def work_folders(output: StoragePath) -> list[StoragePath]:
    """The output's own, and those that its runs were given, as far as they are there."""
    runtimes = [record.configuration["runtime"] for record in records(output)]
    given = {
        r["work_dir"]: Access(given_options(r.get("storage_options", {})))
        for r in runtimes
        if r["work_dir"] is not None
    }
    folders = [output / CONTROL_FOLDER / "work", *(located(folder, given[folder]) for folder in sorted(given))]
    return [folder for folder in folders if folder.is_dir()]


def _folder(kind: str, folder: StoragePath) -> Iterator[Leftover]:
    if folder.is_dir():
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        yield Leftover(kind, folder, len(sizes), sum(sizes))


def _run(folder: StoragePath) -> Iterator[Leftover]:
    files = _of_run(folder)
    if files:
        yield Leftover("run", folder, len(files), sum(path.stat().st_size for path in files))


def _of_run(folder: StoragePath) -> list[StoragePath]:
    """All but the seal, on which that of the next run rests."""
    files: list[StoragePath] = list(folder.rglob("*"))
    return [path for path in files if path.is_file() and path.name not in (ROOT_NAME, SIGNATURE_NAME)]


def _unfinished(output: StoragePath) -> Iterable[StoragePath]:
    """What a process that was killed while it wrote left under a temporary name."""
    skipped = {output / CONTROL_FOLDER / name for name in ("work", "partial")}
    if not isinstance(output, Path):
        return  # in a store, what is not whole is not there
    for path in output.rglob(".*.partial"):
        if _PARTIAL.fullmatch(path.name) and skipped.isdisjoint(path.parents):
            yield path


def _signs(folder: StoragePath) -> Iterator[StoragePath]:
    """Everything in the lease folder but the file that counts."""
    if folder.name == LEASE_FOLDER and folder.is_dir():
        files = sorted((path for path in folder.iterdir() if not _PARTIAL.fullmatch(path.name)), reverse=True)
        current = max((path for path in files if path.suffix == ".json"), key=lambda path: path.name, default=None)
        yield from (path for path in files if path != current)


def _old_runs(control: StoragePath, before: datetime) -> Iterator[StoragePath]:
    """Folders of runs that began before that time; never the latest's."""
    runs = sorted((path for path in control.iterdir() if _RUN_ID.fullmatch(path.name)), key=lambda path: path.name)
    for folder in islice(runs, max(0, len(runs) - 1)):
        match = _RUN_ID.fullmatch(folder.name)
        if match and datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) < before:
            yield folder


def _remove(leftover: Leftover) -> None:
    if leftover.kind == "run":
        remove_all(_of_run(leftover.path))
        remove_empty_folders(leftover.path)
        return
    if leftover.path.is_dir():
        remove_tree(leftover.path)
        return
    with naming_storage_errors(leftover.path):
        leftover.path.unlink(missing_ok=True)
