from __future__ import annotations

import sys
from typing import Any

import pytest

from anonflow import __version__, cli


@pytest.mark.parametrize("argument", ["--help", "-h"])
def test_help_names_the_commands_and_exit_codes(capsys: pytest.CaptureFixture[str], argument: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([argument])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(f"  {name}" in said for name in cli.COMMANDS) and "exit codes" in said


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"anonflow {__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["input=in"], ["nonsense", "anonymize"]])
def test_an_unknown_command_is_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert "usage: anonflow" in capsys.readouterr().err


def test_no_command_shows_the_help_as_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "commands:" in capsys.readouterr().out


def test_a_command_gets_its_arguments_and_gives_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def job() -> Any:
        seen.append(list(sys.argv))
        return 3

    monkeypatch.setattr(sys, "argv", ["anonflow", "anonymize", "input=-x y", "--cfg", "job"])
    monkeypatch.setitem(cli.COMMANDS, "anonymize", (job, ""))
    assert cli.main() == 3
    assert seen == [["anonflow anonymize", "input=-x y", "--cfg", "job"]]


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_answers_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["anonflow"])
    assert cli.main([command, "--help"]) == 0
    assert f"anonflow {command}" in capsys.readouterr().out
