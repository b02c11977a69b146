"""The same command joins a cluster that is there and leaves it running, if it has the cluster's token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from anonflow.video.probe import probe
from tests.clusters import LocalCluster, cluster_of
from tests.runs import SMALL, anonflow, files_below

TOKEN = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Two nodes that have the token in a file."""
    file = tmp_path_factory.mktemp("secret") / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    with cluster_of(0, 2, environment={"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(file)}) as made:
        yield made


def arguments(source: Path, output: Path, address: str) -> list[str]:
    return ["anonymize", f"input={source}", f"output={output}", *SMALL, f"runtime.address={address}"]


def test_a_run_with_the_token_is_let_in_and_leaves(sample: Path, tmp_path: Path, cluster: LocalCluster) -> None:
    given = [*arguments(sample, tmp_path / "first", cluster.address), "chunk.length_s=1"]
    code, printed = anonflow(*given, environment=cluster.environment)
    assert code == 0 and TOKEN not in printed, printed
    assert probe(tmp_path / "first" / sample.name).n_frames == probe(sample).n_frames
    given = [*arguments(sample, tmp_path / "second", cluster.address), "runtime.detect.num_gpus=1"]
    code, printed = anonflow(*given, environment=cluster.environment)
    assert code == 2 and "the cluster has 0 GPUs" in printed, "asking for what is not there is said at once"


@pytest.mark.slow
def test_a_sweep_on_a_cluster_detects_once(sample: Path, tmp_path: Path, cluster: LocalCluster) -> None:
    command, *given = arguments(sample, tmp_path, cluster.address)
    swept = ["chunk.length_s=1", "mask.face.margin=0.1,0.4"]
    code, printed = anonflow(command, "-m", *given, *swept, environment=cluster.environment)
    assert code == 0, printed
    reports = [
        json.loads(next((tmp_path / f"mask.face.margin={margin}").glob("_anonflow/2*/report.json")).read_text())
        for margin in (0.1, 0.4)
    ]
    assert [report["videos"][0]["detected_chunks"] for report in reports] == [3, 0]


@pytest.mark.parametrize(
    "environment",
    [
        # Ray tries again for 20 s.
        pytest.param({"RAY_AUTH_MODE": "disabled"}, marks=pytest.mark.slow),
        pytest.param({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "f" * 64}, marks=pytest.mark.slow),
        {"RAY_AUTH_MODE": "token"},
    ],
    ids=["no token", "another token", "token mode without one"],
)
def test_a_run_without_the_token_is_refused(
    sample: Path, tmp_path: Path, cluster: LocalCluster, environment: dict[str, str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    given = environment | {"HOME": str(home), "XDG_CACHE_HOME": str(Path.home() / ".cache")}
    code, printed = anonflow(*arguments(sample, tmp_path / "out", cluster.address), environment=given)
    assert code == 2, printed
    assert "RAY_AUTH_TOKEN" in printed and "Traceback" not in printed, printed
    assert printed.count("\n") <= 4, "one line, after those of the start"
    assert not {name for name in files_below(tmp_path / "out") if not name.startswith("_anonflow/")}


def test_no_cluster_is_a_configuration_error(sample: Path, tmp_path: Path) -> None:
    code, printed = anonflow(*arguments(sample, tmp_path / "out", "127.0.0.1:1"))
    assert code == 2 and "no Ray cluster answers" in printed, printed
