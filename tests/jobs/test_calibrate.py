from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra

from anonflow.config import AnonymizeConfig
from anonflow.jobs import calibrate as job
from anonflow.jobs.calibrate import spelled_out
from anonflow.jobs.launch import typed

SMALL = ["data=generated", "target.leak_rate=0.3", "grid.thresholds=[0.1,0.6]", "generated.videos=20"]


def calibrated(monkeypatch: pytest.MonkeyPatch, folder: Path, *overrides: str) -> int:
    monkeypatch.setattr(sys, "argv", ["anonflow calibrate", f"output={folder}", *SMALL, *overrides])
    return job.main()


def test_a_certified_policy_is_written_and_can_be_run_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrated(monkeypatch, tmp_path, "split.test_share=0.2", "name=mine") == 0
    said = capsys.readouterr().out
    assert "Certified" in said and "leak_rate below 0.3" in said and "policy=mine" in said
    told = json.loads((tmp_path / "calibration.json").read_text())
    assert told["answer"]["chosen"]["certified"] and told["test"]["videos"] > 0
    policy = yaml.safe_load((tmp_path / "policy" / "mine.yaml").read_text())
    assert policy["calibration"]["bounds"] == {"leak_rate": 0.3}
    GlobalHydra.instance().clear()
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        overrides = [f"hydra.searchpath=[file://{tmp_path}]", "policy=mine", "input=a", "output=b"]
        config: Any = typed(compose("anonymize", overrides=overrides), AnonymizeConfig)
    assert config.detector["face"].threshold == told["answer"]["chosen"]["threshold"]
    assert config.policy["calibration"]["set_sha256"] == told["set_sha256"]
    for name in ("assessment.md", "assessment.html"):
        page = (tmp_path / name).read_text()
        for word in ("Residual risk", "Art. 25", "Art. 32", "20889", "23894", "MIT", "says NOTHING about real"):
            assert word in page
    assert "<svg" in (tmp_path / "assessment.html").read_text()


def test_too_few_videos_are_refused_with_a_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrated(monkeypatch, tmp_path, "target.leak_rate=0.05", "generated.videos=12") == 3
    said = capsys.readouterr().out
    assert "Cannot certify with these 12 videos" in said and "You need about" in said
    assert not (tmp_path / "policy").exists() and not (tmp_path / "assessment.md").exists()
    assert json.loads((tmp_path / "calibration.json").read_text())["answer"]["chosen"] is None


@pytest.mark.parametrize("override", ["labels=[dog]", "detector=faces", "target.leak_rate=2", "nonsense=1"])
def test_a_wrong_command_line_ends_with_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, override: str) -> None:
    assert calibrated(monkeypatch, tmp_path, override) == 2
    assert not list(tmp_path.iterdir())


def test_short_keys_are_those_of_the_calibration() -> None:
    assert spelled_out("data=a=b") == "data.path=a=b" and spelled_out("data.labels={}") == "data.labels={}"
    assert spelled_out("target.leak_rate=1") == "calibration.target.leak_rate=1"
    assert spelled_out("confidence=0.9") == "calibration.confidence=0.9"
    assert spelled_out("label.face.hide=true") == "label.face.hide=true" and spelled_out("--help") == "--help"


def test_labels_of_the_data_can_be_mapped() -> None:
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        overrides = ["data.path=x", "output=o", "calibration.target.leak_rate=0.1", "data.labels={1:plate}"]
        config: Any = typed(compose("calibrate", overrides=overrides), job.CalibrateConfig)
    assert config.data.mapping == {"1": "plate"}
