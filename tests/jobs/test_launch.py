from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_module

from anonflow.config import AnonymizeConfig
from anonflow.errors import ConfigError, FidelityError, ModelError, ReconcileError, StalledError
from anonflow.jobs.launch import (
    DONE,
    FAILED,
    QUARANTINED,
    USAGE,
    launch,
    run,
    typed,
)
from anonflow.pipeline.interrupts import Interrupted

GIVEN = ["input=in", "output=out"]


def composed(*overrides: str) -> Any:
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        return compose("anonymize", overrides=list(overrides))


def ending(error: Any) -> Any:
    def job(*_: object) -> None:
        raise error

    return job


def launched(monkeypatch: pytest.MonkeyPatch, *arguments: str, job: Any = lambda *_: DONE) -> Any:
    monkeypatch.setattr(sys, "argv", ["anonflow anonymize", *arguments])
    return launch("anonymize", AnonymizeConfig, job)


def test_the_exit_codes_are_those_of_the_documentation() -> None:
    assert (DONE, FAILED, USAGE, QUARANTINED) == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("wrong"), 2),
        (ModelError("no model"), 2),
        (FidelityError("broken"), 1),
        (ReconcileError("lost"), 1),
        (Interrupted(signal.SIGINT), 130),
        (Interrupted(signal.SIGTERM), 143),
        (ValueError("a defect"), 1),
        (OSError(28, "No space left on device"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_end_has_its_exit_code(error: Any, code: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(composed(*GIVEN), AnonymizeConfig, ending(error)) == code
    assert capsys.readouterr().err.strip(), "nobody ends without a word"


@pytest.mark.parametrize("code", [0, 3])
def test_a_job_says_how_it_ended(code: Any) -> None:
    assert run(composed(*GIVEN), AnonymizeConfig, lambda *_: code) == code


def test_a_named_error_is_one_line_and_a_defect_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    run(composed(*GIVEN), AnonymizeConfig, ending(ConfigError("chunk.length_s must be above 0")))
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "chunk.length_s" in said and "Traceback" not in said
    run(composed(*GIVEN), AnonymizeConfig, ending(ValueError("x")))
    assert "Traceback" in capsys.readouterr().err


def test_a_job_gets_its_configuration_in_types(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def job(config: Any, _console: Any) -> Any:
        seen.append(config)
        return DONE

    assert launched(monkeypatch, *GIVEN, "video.crf=30", "chunk.length_s=7", job=job) == 0
    (config,) = seen
    assert isinstance(config, AnonymizeConfig) and config.video.crf == 30
    assert config.chunk.length_s == 7.0 and isinstance(config.chunk.length_s, float)


@pytest.mark.parametrize(
    "argument",
    ["nonsense=1", "video=nonsense", "video.nonsense=1", "=", "input=[", "video.crf"],
)
def test_overrides_that_do_not_exist_are_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argument: str
) -> None:
    assert launched(monkeypatch, *GIVEN, argument, job=ending(AssertionError("ran"))) == 2
    assert capsys.readouterr().err.strip()


@pytest.mark.parametrize("arguments", [[], ["input=in"], ["output=out"]])
def test_input_and_output_must_be_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: Any
) -> None:
    assert launched(monkeypatch, *arguments, job=ending(AssertionError("ran"))) == 2
    said = capsys.readouterr().err
    assert "put" in said and "--help" in said and "Traceback" not in said


@pytest.mark.parametrize("argument", ["--help", "--cfg=job", "--info=defaults"])
def test_questions_are_answered_and_nothing_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argument: str
) -> None:
    assert launched(monkeypatch, argument, job=ending(AssertionError("ran"))) == 0
    assert capsys.readouterr().out.strip()


def test_the_help_names_groups_examples_and_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    launched(monkeypatch, "--help")
    said = capsys.readouterr().out
    for word in ("detector: ensemble, faces, faces_plates, plates", "input=FILE|FOLDER", "Exit codes", "crf:"):
        assert word in said
    for word in ("policy: balanced, precision_first, recall_first", "tracker: bytetrack, deepsort, sort"):
        assert word in said
    assert "$" not in said.replace("$XDG", "").replace("${policy.", "")


@pytest.mark.parametrize("codes", [(0, 3), (3, 0), (0, 0)])
def test_a_sweep_ends_with_the_worst_of_its_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, codes: Any
) -> None:
    left = list(codes)
    monkeypatch.chdir(tmp_path)
    arguments = ["--multirun", *GIVEN, "video.crf=18,20", "hydra.sweep.dir=."]
    assert launched(monkeypatch, *arguments, job=lambda *_: left.pop(0)) == max(codes)


def test_a_termination_signal_ends_like_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    def job(*_: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    assert launched(monkeypatch, *GIVEN, job=job) == 143


def test_no_file_is_written_by_the_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    launched(monkeypatch, *GIVEN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("video.crf=high", "video.crf"),
        ("video.crf=20.5", "video.crf"),
        ("detector.face.threshold=[1]", "detector.face.threshold"),
        ("mask.face.cells=null", "mask.face.cells"),
        ("+video.nonsense=1", "video.nonsense"),
        ("+nonsense=1", "nonsense"),
        ("runtime.max_attempts=many", "runtime.max_attempts"),
        ("video.crf=99", "video.crf"),
        ("chunk.length_s=-1", "chunk.length_s"),
        ("~tracker.min_hits", "tracker.min_hits"),
        ("mask.face.operator=swirl", "operator"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(override: str, key: Any) -> None:
    with pytest.raises(ConfigError) as raised:
        typed(composed(*GIVEN, override), AnonymizeConfig)
    assert key in str(raised.value) and "\n" not in str(raised.value)


def test_a_value_that_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match="input"):
        typed(composed("output=out"), AnonymizeConfig)


def test_an_interpolation_that_leads_nowhere_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        typed(composed("output=out", "input=${nowhere}"), AnonymizeConfig)


LOGO = "- videos: '*'\n  hide: [{box: [0, 0, 1, 0.1]}]\n"


def test_the_configuration_holds_the_regions_and_not_the_name_of_their_file(tmp_path: Path) -> None:
    made = []
    for name in ("one.yaml", "other.yaml"):
        (tmp_path / name).write_text(LOGO)
        made.append(typed(composed(*GIVEN, f"regions={tmp_path}/{name}"), AnonymizeConfig))
    assert made[0] == made[1] and "one.yaml" not in repr(made[0])
    assert made[0].regions[0].hide[0].box == (0.0, 0.0, 1.0, 0.1)


def test_there_are_no_regions_unless_a_file_is_named() -> None:
    assert typed(composed(*GIVEN), AnonymizeConfig).regions == []


@pytest.mark.parametrize("given", ["3", "[a.yaml]", "true"])
def test_regions_are_named_by_a_path(given: str) -> None:
    with pytest.raises(ConfigError, match=r"regions=.* path"):
        typed(composed(*GIVEN, f"regions={given}"), AnonymizeConfig)


def test_a_wrong_regions_file_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "r.yaml").write_text(LOGO.replace("box", "bux"))
    assert launched(monkeypatch, *GIVEN, f"regions={tmp_path}/r.yaml", job=ending(AssertionError("ran"))) == 2
    assert f"{tmp_path}/r.yaml, line 2: unknown key 'bux'" in capsys.readouterr().err


def test_json_lines_from_a_wrong_option_to_a_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    json_please = "runtime.log_format=json"
    assert launched(monkeypatch, *GIVEN, json_please, "runtime.max_attempts=0") == 2
    assert launched(monkeypatch, *GIVEN, json_please, job=ending(ConfigError("/home/anna: no files there"))) == 2
    assert launched(monkeypatch, *GIVEN, json_please, job=ending(ValueError("/home/anna"))) == 1
    printed = capsys.readouterr().err
    option, files, defect = (json.loads(line) for line in printed.splitlines())
    assert "max_attempts=0" in option["message"], "what was wrong on the command line is said"
    assert (files["event"], files["reason"], files["error"]) == ("error", "config", "ConfigError")
    assert (defect["event"], defect["error"]) == ("defect", "ValueError") and defect["trace"]
    assert "anna" not in printed


def test_an_error_that_names_no_file_is_told_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stalled = ending(StalledError("Nothing has happened. Give it more memory."))
    assert launched(monkeypatch, *GIVEN, "runtime.log_format=json", job=stalled) == 1
    assert json.loads(capsys.readouterr().err)["message"] == "Nothing has happened. Give it more memory."


def test_text_names_files_unless_told_not_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = ending(ConfigError("/home/anna: no files there"))
    launched(monkeypatch, *GIVEN, job=failing)
    assert "/home/anna: no files there" in capsys.readouterr().err
    launched(monkeypatch, *GIVEN, "runtime.log_paths=false", job=failing)
    said = capsys.readouterr().err
    assert "anna" not in said and "ConfigError (config)" in said
