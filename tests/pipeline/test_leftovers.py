from __future__ import annotations

import json
from pathlib import Path

import pytest

from anonflow.errors import ConfigError
from anonflow.pipeline.lease import held
from anonflow.pipeline.leftovers import clean
from anonflow.pipeline.record import RECORD
from anonflow.storage import StoragePath, write_bytes
from anonflow.types import Status
from tests.pipeline.past import past_run
from tests.runs import files_below

LATEST = "20990101T000000Z-bb"
PARTIAL = ".0123456789abcdef.partial"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Two runs, and everything that may lie about."""
    output = tmp_path / "out"
    past_run(output, "20260101T000000Z-aa", {"/in/a": Status.PUBLISHED})
    past_run(output, LATEST, {"/in/a": Status.UNCHANGED})
    for name in (
        "tree/a.mp4",
        "tree/.hidden.partial",  # somebody's own
        f"tree/{PARTIAL}",
        "_anonflow/done/key/id-a.json",
        f"_anonflow/done/key/{PARTIAL}",
        "_anonflow/work/segments/key/video/00001.nut",
        "_anonflow/work/detections/key/album/00000.parquet",
        "_anonflow/work/runs/dead/video.ended.json",
        f"_anonflow/work/index/key/{PARTIAL}",
        "_anonflow/partial/video.abcd.mp4",
        "_anonflow/sweep/detections/key/video/00000.parquet",
        "_anonflow/lease/look-1-2",
    ):
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345678")
    return output


KEPT = {"tree/a.mp4", "tree/.hidden.partial", "_anonflow/done/key/id-a.json"}
RUNS = {
    f"_anonflow/{run}/{name}"
    for run in ("20260101T000000Z-aa", LATEST)
    for name in ("run.json", "ledger.parquet", "chains.jsonl")
}


def remains(output: Path) -> set[str]:
    return {name for name in files_below(output) if not name.startswith("_anonflow/lease/0")}


def test_what_is_left_on_the_way_goes_and_results_markers_and_ledgers_stay(output: Path) -> None:
    found = clean(output, None, 30, dry_run=False)
    assert remains(output) == KEPT | RUNS
    assert sum(one.n_files for one in found) == 9 and sum(one.n_bytes for one in found) == 72
    assert {one.kind for one in found} == {"work", "unfinished results", "unfinished file", "lease"}
    assert clean(output, None, 30, dry_run=False) == []


def test_a_dry_run_finds_the_same_and_removes_nothing(output: Path) -> None:
    before = files_below(output)
    found = clean(output, None, 30, dry_run=True)
    assert files_below(output) == before
    assert found == clean(output, None, 30, dry_run=False)


def test_old_runs_go_only_when_told_and_never_the_latest(output: Path) -> None:
    clean(output, 1, 30, dry_run=False)
    assert remains(output) == KEPT | {name for name in RUNS if LATEST in name}
    clean(output, 0, 30, dry_run=False)
    assert remains(output) == KEPT | {name for name in RUNS if LATEST in name}


def test_the_seal_of_an_old_run_stays_as_that_of_the_next_rests_on_it(output: Path) -> None:
    seal = output / "_anonflow" / "20260101T000000Z-aa" / "root.json"
    seal.write_text("{}")
    assert [one.kind for one in clean(output, 1, 30, dry_run=True)].count("run") == 1
    clean(output, 1, 30, dry_run=False)
    assert {path.name for path in seal.parent.iterdir()} == {"root.json"}
    assert clean(output, 1, 30, dry_run=False) == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_nothing_is_removed_under_a_run_that_is_at_work(output: Path, dry_run: bool) -> None:
    before = remains(output)
    with held([output / "_anonflow" / "lease"], "run9", 30), pytest.raises(ConfigError, match="run9"):
        clean(output, None, 30, dry_run=dry_run)
    assert remains(output) == before


def test_of_a_work_folder_that_somebody_chose_only_ours_goes(output: Path, place: StoragePath) -> None:
    """The output is local, the work folder local or in a store."""
    work = place / "scratch"
    record = output / "_anonflow" / LATEST / RECORD
    value = json.loads(record.read_text())
    value["configuration"]["runtime"] |= {"work_dir": str(work), "storage_options": {"s3": None, "gs": None}}
    record.write_text(json.dumps(value))
    for name in ("tracks/key/video/1.npz", "mine/thesis.txt"):
        write_bytes(work / name, b"1234")
    with held([work / "lease"], "run9", 30), pytest.raises(ConfigError, match="run9"):
        clean(output, None, 30, dry_run=False)
    clean(output, None, 30, dry_run=False)
    left = {path.relative_to(work).as_posix() for path in work.rglob("*") if path.is_file()}  # type: ignore[arg-type]
    assert {name for name in left if not name.startswith("lease/")} == {"mine/thesis.txt"}


def test_a_folder_that_is_no_output_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with pytest.raises(ConfigError, match="no run has been here"):
        clean(tmp_path, None, 30, dry_run=False)
    assert (tmp_path / "work").exists()
