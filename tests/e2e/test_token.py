"""A cluster that asks for a token lets in who has it, and tells others so at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import LocalCluster, cluster_of
from tests.media import make_clip
from tests.runs import anonflow, files_below

TOKEN = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Two nodes that have the token in a file."""
    file = tmp_path_factory.mktemp("secret") / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    with cluster_of(0, 2, environment={"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(file)}) as made:
        yield made


def arguments(folder: Path, cluster: LocalCluster) -> list[str]:
    (folder / "in").mkdir()
    make_clip(folder / "in" / "clip.mp4")
    return [
        "anonymize",
        f"input={folder / 'in'}",
        f"output={folder / 'out'}",
        f"runtime.address={cluster.address}",
        "detector=faces",
        "detector.face.long_side_px=128",
        "video.preset=ultrafast",
        "video.crf=20",
    ]


def test_a_run_with_the_token_is_let_in(tmp_path: Path, cluster: LocalCluster) -> None:
    code, printed = anonflow(*arguments(tmp_path, cluster), environment=cluster.environment)
    assert code == 0, printed
    assert (tmp_path / "out" / "clip.mp4").exists()
    assert TOKEN not in printed


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
    tmp_path: Path, cluster: LocalCluster, environment: dict[str, str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    given = environment | {"HOME": str(home), "XDG_CACHE_HOME": str(Path.home() / ".cache")}
    code, printed = anonflow(*arguments(tmp_path, cluster), environment=given)
    assert code == 2, printed
    assert "RAY_AUTH_TOKEN" in printed and "Traceback" not in printed, printed
    assert printed.count("\n") <= 4, "one line, after those of the start"
    assert not {name for name in files_below(tmp_path / "out") if not name.startswith("_anonflow/")}
