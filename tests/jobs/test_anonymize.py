from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from anonflow.jobs import anonymize as job

CONFIG = SimpleNamespace(policy={}, runtime=SimpleNamespace(log_format="text", logs_paths=True))


@pytest.mark.parametrize(("quarantined", "code"), [(0, 0), (1, 3), (7, 3)])
def test_the_exit_code_tells_of_quarantined_sources(
    monkeypatch: pytest.MonkeyPatch, quarantined: Any, code: Any
) -> None:
    monkeypatch.setattr(job.Sweep, "one_of", lambda _, config: config)
    summary = SimpleNamespace(totals=SimpleNamespace(quarantined=quarantined))
    monkeypatch.setattr(job, "anonymize", lambda *_: summary)
    monkeypatch.setattr(job, "print_summary", lambda *_, **__: None)
    captured = []

    def launch(name: Any, _schema: Any, run: Any) -> Any:
        captured.append(name)
        return run(CONFIG, Console(file=io.StringIO()))

    monkeypatch.setattr(job, "launch", launch)
    assert job.main() == code and captured == ["anonymize"]


def test_a_wrong_command_line_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["anonflow anonymize", "video=nonsense"])
    assert job.main() == 2
    assert "nonsense" in capsys.readouterr().err
