from __future__ import annotations

import sys
from pathlib import Path

import pytest

from anonflow.jobs import clean
from anonflow.pipeline.lease import held
from anonflow.types import Status
from tests.pipeline.past import past_run


@pytest.fixture
def output(tmp_path: Path) -> Path:
    past_run(tmp_path, "20260101T000000Z-aa", {"/in/a": Status.PUBLISHED})
    segment = tmp_path / "_anonflow" / "work" / "segments" / "key" / "00001.nut"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"x" * 3000)
    return tmp_path


def run(output: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setattr(sys, "argv", ["anonflow clean", str(output), *more])
    return clean.main()


def test_it_says_what_it_removed(
    output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(output, monkeypatch, "dry_run=true") == 0
    said = capsys.readouterr().out
    assert "1 files, 2.9 KiB would be removed" in said and str(output / "_anonflow/work/segments") in said
    assert (output / "_anonflow/work/segments").exists()
    assert run(output, monkeypatch) == 0
    assert "1 files, 2.9 KiB removed" in capsys.readouterr().out
    assert not (output / "_anonflow/work").exists()


def test_it_is_refused_while_a_run_is_at_work(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with held([output / "_anonflow" / "lease"], "run9", 30):
        assert run(output, monkeypatch) == 2
    assert (output / "_anonflow/work/segments").exists()


@pytest.mark.parametrize("wrong", ["runs_older_than_d=-1", "dry=true", "lease_s=0"])
def test_wrong_values_are_refused(output: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    assert run(output, monkeypatch, wrong) == 2
