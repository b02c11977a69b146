"""Every case of the table; minutes each, so only when asked for. The commonest are in `test_kill` too."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.bench import Bench, Finding
from tests.faults.places import small_disk
from tests.faults.table import CASES, line

NEEDS_A_DISK = ("work_full", "work_freed", "output_full", "read_only")
NEEDS_A_COMPILER = ("clock",)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture
def _place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """What the case needs of this machine."""
    if request.node.callspec.params["case"] in NEEDS_A_DISK:
        if os.geteuid() != 0 or shutil.which("mount") is None:
            pytest.skip("a small file system needs root")
        try:
            with small_disk(tmp_path / "disk", "100k"):
                pass
        except OSError as error:
            pytest.skip(str(error))
    if request.node.callspec.params["case"] in NEEDS_A_COMPILER and shutil.which("cc") is None:
        pytest.skip("no compiler")
    yield


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("_place")
@pytest.mark.parametrize("case", CASES)
def test_nothing_is_lost_doubled_partial_or_left_running(bench: Bench, case: str) -> None:
    for found in CASES[case](bench):
        assert found.is_well, line(found)


WELL = Finding("", "", lost=0, doubled=0, partial=0, orphans=0, equal=True, seconds=1, extra_s=0)


@pytest.mark.parametrize("flaw", [{"lost": 1}, {"doubled": 1}, {"partial": 1}, {"orphans": 1}, {"equal": False}])
def test_a_finding_with_a_flaw_is_not_well(flaw: dict[str, int]) -> None:
    assert WELL.is_well and not replace(WELL, **flaw).is_well  # type: ignore[arg-type]
