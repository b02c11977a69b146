"""Machines of a cluster that go and come: nothing is lost, and the outputs are those of an undisturbed run."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.clusters import NO_TOKEN, LocalCluster, Node, cluster_of
from tests.inline import anonymized
from tests.media import make_clip
from tests.networks import Network, available, network
from tests.runs import Run, files_below, gone, start, wait_until

CLIPS = ("a.mp4", "b.mp4")
ARGUMENTS = [
    "detector=faces",
    "detector.face.long_side_px=128",
    "chunk.length_s=0.4",
    "chunk.overlap_frames=4",
    "video.preset=ultrafast",
    "video.crf=20",
    "runtime.provider=cpu",
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips of 40 frames, so four chunks each."""
    folder = tmp_path_factory.mktemp("archive")
    for name in CLIPS:
        make_clip(folder / name)
    return folder


@pytest.fixture(scope="module")
def undisturbed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the same stages make of the archive in this process, one after the other."""
    output = tmp_path_factory.mktemp("undisturbed")
    assert anonymized(archive, output, *ARGUMENTS).totals.published == len(CLIPS)
    return digests(output)


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    """A head that does no work, and one worker node."""
    with cluster_of(0, 2) as made:
        yield made


def test_a_node_that_dies_under_its_detectors_costs_only_time(
    archive: Path, undisturbed: dict[str, str], tmp_path: Path, cluster: LocalCluster
) -> None:
    lost, output = cluster.nodes[1], tmp_path / "out"
    run = begin(archive, output, cluster)
    wait_until(lambda: lost.processes("ray::MapWorker") and chunks(output), run)
    lost.kill()
    since = time.monotonic()
    assert not_published(output), "the node died too late to matter"
    cluster.add(2)
    code, printed = run.finish()
    print(f"\nthe run ended {time.monotonic() - since:.1f} s after its only worker node was killed")
    assert code == 0, printed
    assert digests(output) == undisturbed
    assert_all_published(output)


@pytest.mark.slow
def test_nodes_that_join_are_used(
    archive: Path, undisturbed: dict[str, str], tmp_path: Path, cluster: LocalCluster
) -> None:
    many, output = tmp_path / "in", tmp_path / "out"
    many.mkdir()
    for number in range(8):
        shutil.copy(archive / "a.mp4", many / f"{number}.mp4")
    run = begin(many, output, cluster)
    wait_until(lambda: chunks(output), run)
    added = cluster.add(6)
    wait_until(lambda: added.processes("ray::Map"), run, timeout_s=200)
    code, printed = run.finish()
    assert code == 0, printed
    assert set(digests(output).values()) == set(undisturbed.values())


@pytest.mark.slow
def test_a_driver_that_dies_with_the_head_is_taken_up_by_another_cluster(
    archive: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    with cluster_of(0, 2) as first:
        run = begin(archive, output, first)
        wait_until(lambda: chunks(output), run)
        run.process.kill()
        first.nodes[0].kill()
        run.finish()
        assert left(first.nodes[1]), "workers outlive the head"
    assert not_published(output)
    with cluster_of(0, 2) as second:
        code, printed = begin(archive, output, second).finish()
    assert code == 0, printed
    assert digests(output) == undisturbed
    assert_all_published(output)


@pytest.mark.slow
def test_a_terminated_run_leaves_the_cluster_as_it_was(
    archive: Path, undisturbed: dict[str, str], tmp_path: Path, cluster: LocalCluster
) -> None:
    output = tmp_path / "out"
    run = begin(archive, output, cluster)
    wait_until(lambda: chunks(output), run)
    os.kill(run.process.pid, signal.SIGTERM)
    code, printed = run.finish(timeout_s=60)
    assert code == 143, printed
    assert gone(run), "processes outlive the run"
    assert not_working(cluster), "actors or tasks outlive the run"
    assert all(node.process.poll() is None for node in cluster.nodes), "a node ended with the run"
    assert set(files_below(output)) == {n for n in files_below(output) if n.startswith("_anonflow/")}
    code, printed = begin(archive, output, cluster).finish()
    assert code == 0, printed
    assert digests(output) == undisturbed


@pytest.mark.slow
@pytest.mark.skipif(not available(), reason="network namespaces need root and iproute2")
def test_a_node_whose_network_fails_for_a_while(archive: Path, undisturbed: dict[str, str], tmp_path: Path) -> None:
    """Its tasks go on and write, unseen by the others, while the same work is done elsewhere."""
    output = tmp_path / "out"
    with network(2) as wires, wired(wires) as cluster:
        cut = cluster.nodes[1]
        run = begin(archive, output, cluster)
        wait_until(lambda: cut.processes("ray::MapWorker") and chunks(output), run, timeout_s=200)
        wires.cut(0)
        since = time.monotonic()
        assert not_published(output), "the network failed too late to matter"
        wait_until(lambda: time.monotonic() - since > 20 or run.process.poll() is not None, run)
        wires.mend(0)
        code, printed = run.finish(timeout_s=400)
        print(f"\nthe run ended {time.monotonic() - since:.1f} s after a worker's network failed for 20 s")
    assert code == 0, printed
    assert digests(output) == undisturbed
    assert_all_published(output)


@contextmanager
def wired(wires: Network) -> Iterator[LocalCluster]:
    """A head on this machine and two workers elsewhere; one that is silent is given up after some 10 s."""
    soon = {"RAY_health_check_timeout_ms": "3000", "RAY_health_check_failure_threshold": "3"}
    cluster = LocalCluster(NO_TOKEN | soon)
    try:
        cluster.start_head(0, wires.own_address)
        for host in range(2):
            cluster.add(2, wires.address(host), wires.on(host))
        yield cluster
    finally:
        cluster.end()


def begin(archive: Path, output: Path, cluster: LocalCluster) -> Run:
    """A run on the cluster."""
    places = [f"input={archive}", f"output={output}", f"runtime.address={cluster.address}"]
    return start("anonymize", *places, *ARGUMENTS, environment=NO_TOKEN)


def chunks(output: Path) -> list[Path]:
    """Tracks of finished chunks."""
    return list((output / "_anonflow" / "work").glob("tracks/*/*/*.npz"))


def not_published(output: Path) -> bool:
    """Whether something is left to be done."""
    return len(digests(output)) < len(CLIPS)


def digests(output: Path) -> dict[str, str]:
    """SHA-256 of each published file."""
    names = {name for name in files_below(output) if not name.startswith("_anonflow/")}
    return {name: hashlib.sha256((output / name).read_bytes()).hexdigest() for name in sorted(names)}


def assert_all_published(output: Path) -> None:
    """Each input has one row in the last ledger, and nothing half is left."""
    ledger = max(output.glob("_anonflow/*/ledger.parquet"), key=lambda path: path.stat().st_mtime_ns)
    rows = pq.read_table(ledger).to_pylist()
    assert sorted(Path(row["uri"]).name for row in rows) == sorted(CLIPS)
    assert {row["status"] for row in rows} == {"published"}
    kept = {name.split("/")[1] for name in files_below(output) if name.startswith("_anonflow/")}
    assert not kept & {"work", "partial"}


def not_working(cluster: LocalCluster, timeout_s: float = 60) -> bool:
    """Whether no node runs an actor or a task of a run any more, within the time."""
    until = time.monotonic() + timeout_s
    while any(node.processes("ray::Map") for node in cluster.nodes):
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True


def left(node: Node, timeout_s: float = 90) -> bool:
    """Whether the workers of a node end within the time."""
    until = time.monotonic() + timeout_s
    while node.processes("ray::"):
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True
