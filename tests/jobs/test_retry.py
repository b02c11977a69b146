from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from anonflow.config import AnonymizeConfig
from anonflow.errors import ConfigError
from anonflow.jobs import retry
from anonflow.pipeline.context import derive_keys
from anonflow.types import Status
from tests.pipeline.past import past_run
from tests.pipeline.worlds import configuration


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[AnonymizeConfig, set[str]]]:
    """What would have been run."""
    runs: list[tuple[AnonymizeConfig, set[str]]] = []

    def anonymize(config: AnonymizeConfig, _: object, only: Any) -> object:
        runs.append((config, set(only)))
        return SimpleNamespace(totals=SimpleNamespace(quarantined=len(runs) - 1))

    monkeypatch.setattr(retry, "anonymize", anonymize)
    monkeypatch.setattr(retry, "print_summary", lambda *_: None)
    return runs


def run(output: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setattr(sys, "argv", ["anonflow retry", str(output), *more])
    return retry.main()


def test_the_quarantined_are_taken_again_as_their_run_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: Any
) -> None:
    past_run(tmp_path, "20260101T000000Z-aa", {"/in/a": Status.QUARANTINED, "/in/b": Status.PUBLISHED})
    assert run(tmp_path, monkeypatch) == 0
    ((config, only),) = taken
    assert only == {"/in/a"} and (config.input, config.output) == ("/in", str(tmp_path))


def test_values_can_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: Any) -> None:
    past_run(tmp_path, "20260101T000000Z-aa", {"/in/a": Status.QUARANTINED})
    assert run(tmp_path, monkeypatch, "runtime.chunk_timeout_s=7200", "detector.face.threshold=0.31") == 0
    ((config, _),) = taken
    assert (config.runtime.chunk_timeout_s, config.detector["face"].threshold) == (7200, 0.31)


@pytest.mark.parametrize(
    "wrong", ["runtime.nonsense=1", "mask=pixelate", "chunk.length_s=-1", "chunk.length_s=long"]
)
def test_what_cannot_be_changed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: Any, wrong: str
) -> None:
    past_run(tmp_path, "20260101T000000Z-aa", {"/in/a": Status.QUARANTINED})
    assert run(tmp_path, monkeypatch, wrong) == 2 and taken == []


def test_several_runs_are_taken_up_each_with_its_own_configuration_and_the_worst_end_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: Any
) -> None:
    past_run(tmp_path, "20260101T000000Z-aa", {"/in/a": Status.QUARANTINED}, given="/first")
    past_run(tmp_path, "20260102T000000Z-aa", {"/in/b": Status.QUARANTINED}, given="/second")
    assert run(tmp_path, monkeypatch) == 3
    assert [(config.input, only) for config, only in taken] == [("/second", {"/in/b"}), ("/first", {"/in/a"})]


def test_without_quarantine_there_is_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: Any
) -> None:
    past_run(tmp_path, "20260101T000000Z-aa", {"/in/a": Status.PUBLISHED})
    assert run(tmp_path, monkeypatch) == 0 and taken == []


@pytest.mark.parametrize("overrides", [(), ("mask=blur", "policy=balanced", "tracker=deepsort", "detector=plates")])
def test_a_recorded_configuration_gives_the_same_results(overrides: tuple[str, ...]) -> None:
    config = configuration(*overrides)
    recorded = json.loads(json.dumps(asdict(config)))
    again = retry.changed(recorded, {})
    assert again == config and derive_keys(again) == derive_keys(config)


def test_a_run_of_before_an_option_was_made_is_taken_again_with_its_default() -> None:
    recorded = json.loads(json.dumps(asdict(configuration())))
    del recorded["runtime"]["stall_timeout_s"]
    assert retry.changed(recorded, {}) == configuration()


def test_detections_of_a_sweep_that_has_ended_are_not_left_anew(tmp_path: Path) -> None:
    recorded = json.loads(json.dumps(asdict(configuration(f"runtime.detections_dir={tmp_path}/sweep"))))
    assert retry.changed(recorded, {}).runtime.detections_dir is None
    (tmp_path / "sweep").mkdir()
    assert retry.changed(recorded, {}).runtime.detections_dir == f"{tmp_path}/sweep"


def test_regions_are_kept_and_can_be_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "regions.yaml").write_text('- videos: "*"\n  hide:\n    - box: [0, 0, 1, 0.5]\n')
    recorded = json.loads(json.dumps(asdict(configuration(f"regions={tmp_path}/regions.yaml"))))
    assert len(retry.changed(recorded, {}).regions) == 1
    assert retry.changed(recorded | {"regions": []}, {"regions": f"{tmp_path}/regions.yaml"}).regions
    with pytest.raises(ConfigError):
        retry.changed(recorded, {"regions": "nowhere.yaml"})
