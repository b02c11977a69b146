from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from anonflow.jobs import compare as job
from anonflow.jobs.compare import named
from tests.calibrate.evaluations import written

BASE = np.random.default_rng(0).integers(40, 90, 12)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["anonflow compare", *arguments])
    return job.main()


def test_folders_are_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [str(written(tmp_path / name, BASE + n)) for n, name in enumerate(("a, b", "c=d", "it's"))]
    assert run(monkeypatch, *runs, "samples=200") == 0
    said = capsys.readouterr().out
    assert "Differences to a, b" in said and "| c=d |" in said and "| it's |" in said
    assert run(monkeypatch, *runs, "samples=200", f"output={tmp_path}/out") == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["compare.html", "compare.md"]


@pytest.mark.parametrize("arguments", [["a"], [], ["a", "b"], ["a", "b", "confidence=2"], ["a", "b", "samples=1"]])
def test_a_wrong_command_line_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, *arguments) == 2


def test_only_what_has_no_key_is_a_folder() -> None:
    assert named(["x", "output=o", "y"]) == ["runs=['x','y']", "output=o"] and named(["--help"]) == ["--help"]
