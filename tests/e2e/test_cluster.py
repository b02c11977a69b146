"""The same command joins a cluster that is there, uses its nodes, and leaves it running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

from anonflow.video.probe import probe
from tests.runs import SMALL, anonflow


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster of two nodes on this machine."""
    for name, value in {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}.items():
        monkeypatch.setenv(name, value)
    cluster = Cluster()
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=3, object_store_memory=100 * 2**20, include_dashboard=False)
        yield cluster.address
    finally:
        cluster.shutdown()


def test_a_run_joins_and_leaves_a_cluster(sample: Path, tmp_path: Path, address: str) -> None:
    arguments = ["anonymize", f"input={sample}", *SMALL, f"runtime.address={address}", "chunk.length_s=1"]
    code, printed = anonflow(*arguments, f"output={tmp_path / 'first'}")
    assert code == 0, printed
    assert probe(tmp_path / "first" / sample.name).n_frames == probe(sample).n_frames
    code, printed = anonflow(*arguments, f"output={tmp_path / 'second'}", "runtime.detect.num_gpus=1")
    assert code == 2 and "the cluster has 0 GPUs" in printed, "asking for what is not there is said at once"


def test_no_cluster_is_a_configuration_error(sample: Path, tmp_path: Path) -> None:
    code, printed = anonflow(
        "anonymize", f"input={sample}", f"output={tmp_path / 'out'}", "runtime.address=127.0.0.1:1", *SMALL
    )
    assert code == 2 and "no Ray cluster answers" in printed, printed
