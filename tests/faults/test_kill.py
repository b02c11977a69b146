"""Processes that are killed: nothing is lost, nothing partial is published, nothing keeps running."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from anonflow.errors import NoSpaceError
from anonflow.video.probe import probe
from tests.inline import anonymized
from tests.media import Clip, make_clip
from tests.runs import SMALL, Run, anonflow, files_below, gone, start, wait_until

ARGUMENTS = [*SMALL, "chunk.length_s=0.4", "chunk.overlap_frames=5", "video.crf=20"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of forty chunks that takes seconds, most of them Ray's."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", Clip(n_frames=400))


def test_driver_killed_and_run_again(clip: Path, tmp_path: Path) -> None:
    run = _begin(clip, tmp_path)
    run.process.kill()
    run.finish()
    assert gone(run), "processes outlive the driver"
    assert not _results(tmp_path), "something has a final name that was never finished"
    finished = {p: p.stat().st_mtime_ns for p in _work(tmp_path, "tracks/*/*/*.npz")}
    assert finished, "the killed run had finished chunks"
    code, printed = anonflow("anonymize", f"input={clip}", f"output={tmp_path}", *ARGUMENTS)
    assert code == 0, printed
    assert probe(tmp_path / clip.name).n_frames == probe(clip).n_frames
    assert _left_over(tmp_path) == set()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 143),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
    ],  # one handler: test_interrupts
)
def test_a_second_run_is_refused_and_an_interrupted_one_ends_at_once_and_cleanly(
    clip: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    arguments = ("anonymize", f"input={clip}", f"output={tmp_path}", *ARGUMENTS)
    run = start(*arguments)
    wait_until(lambda: list(tmp_path.glob("_anonflow/lease/*")), run)
    second, printed = anonflow(*arguments)
    assert second == 2 and "Another run is using" in printed
    wait_until(lambda: _work(tmp_path, "tracks/*/*/*.npz"), run)
    os.kill(run.process.pid, number)
    ended, printed = run.finish(timeout_s=30)
    assert ended == code, printed
    assert "Interrupted" in printed and "Traceback" not in printed
    assert gone(run), "processes outlive the run"
    assert not _results(tmp_path)
    assert not list((tmp_path / "_anonflow").glob("partial/*"))


@pytest.mark.slow  # a node that dies takes its detectors with it: test_nodes
def test_detector_killed(clip: Path, tmp_path: Path) -> None:
    run = _begin(clip, tmp_path)
    actors = run.descendants("ray::MapWorker")
    assert actors, "no detector actor to kill"
    os.kill(actors[0], signal.SIGKILL)
    code, printed = run.finish()
    assert code == 0, printed
    assert "raylet" not in printed and "ERROR" not in printed, "it is not the user's trouble"
    assert probe(tmp_path / clip.name).n_frames == probe(clip).n_frames


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="a small file system needs root")
def test_full_disk_is_quarantine_with_a_remedy(sample: Path, tmp_path: Path) -> None:
    """That of the work folder, so that there is room for the record."""
    small, output = tmp_path / "small", tmp_path / "out"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", small], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        places = (f"input={sample}", f"output={output}", f"runtime.work_dir={small}")
        code, printed = anonflow("anonymize", *places, *ARGUMENTS)
        rows = pq.read_table(next(output.glob("_anonflow/*/ledger.parquet"))).to_pylist()
        assert code == 3, printed
        assert [(row["status"], row["reason"]) for row in rows] == [("quarantined", "no_space")]
        assert "No space left" in printed and not _results(output)
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="a small file system needs root")
def test_an_output_that_is_full_publishes_nothing_and_a_rerun_all(sample: Path, tmp_path: Path) -> None:
    """Here, without Ray. With room for the record the run ends in a quarantine, without it in an error."""
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", small], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        try:
            summary = anonymized(sample, small, *ARGUMENTS)
        except NoSpaceError as error:
            assert "free some space" in str(error)
        else:
            assert summary.totals.quarantined == 1
        assert not _results(small)
        subprocess.run(["mount", "-o", "remount,size=50m", small], check=True)
        assert anonymized(sample, small, *ARGUMENTS).totals.published == 1
        assert _results(small) == {sample.name}
    finally:
        subprocess.run(["umount", small], check=True)


def _begin(clip: Path, output: Path) -> Run:
    """A run of which at least one chunk is tracked and at least one is not."""
    run = start("anonymize", f"input={clip}", f"output={output}", *ARGUMENTS)
    wait_until(lambda: _work(output, "tracks/*/*/*.npz"), run)
    return run


def _work(output: Path, pattern: str) -> list[Path]:
    return list((output / "_anonflow" / "work").glob(pattern))


def _results(output: Path) -> set[str]:
    return {name for name in files_below(output) if not name.startswith("_anonflow/")}


def _left_over(output: Path) -> set[str]:
    return {name for name in files_below(output / "_anonflow") if name.split("/")[0] in ("work", "partial")}
