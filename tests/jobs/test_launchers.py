from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from anonflow.config import AnonymizeConfig
from anonflow.jobs.launch import DONE, USAGE, launch


@pytest.mark.parametrize("command", ["anonymize", "evaluate", "calibrate"])
def test_a_launcher_that_runs_elsewhere_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    begun: list[Any] = []
    monkeypatch.chdir(tmp_path)
    given = ["-m", "input=in", f"output={tmp_path}", "mask=solid,blur", "hydra.launcher._target_=some.RayLauncher"]
    monkeypatch.setattr(sys, "argv", [command, *given])

    def job(config: AnonymizeConfig, _: object) -> int:
        begun.append(config)
        return DONE

    assert launch(command, AnonymizeConfig, job) == USAGE
    assert "hydra/launcher=some.RayLauncher" in capsys.readouterr().err
    assert not begun
