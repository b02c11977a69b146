from __future__ import annotations

import io
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hydra import compose, initialize_config_module
from rich.console import Console

from anonflow.errors import ModelError
from anonflow.jobs import demo as job
from anonflow.jobs.demo import DemoConfig
from anonflow.jobs.launch import typed


@pytest.fixture
def config(tmp_path: Path) -> Any:
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        return typed(compose("demo", overrides=[f"folder={tmp_path}/d"]), DemoConfig)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The job, without Hydra and without the pipeline: what was published is the sample itself."""
    monkeypatch.setattr(job, "portrait", lambda: np.full((512, 512, 3), 90, np.uint8))
    monkeypatch.setattr(job, "frames", lambda person: iter([np.full((720, 1280, 3), 60, np.uint8)] * 80))
    monkeypatch.setattr(job, "print_summary", lambda *_, **__: None)

    def anonymize(config: Any, _console: Any) -> Any:
        pq.write_table(pa.table({"output_uri": [config.input]}), tmp_path / "ledger.parquet")
        return SimpleNamespace(totals=SimpleNamespace(quarantined=0), ledger=tmp_path / "ledger.parquet")

    monkeypatch.setattr(job, "anonymize", anonymize)
    captured = []
    monkeypatch.setattr(job, "launch", lambda name, schema, run: captured.append((name, schema, run)) or 0)
    job.main()
    ((name, schema, run),) = captured
    assert (name, schema) == ("demo", DemoConfig)
    return lambda config: run(config, Console(file=io.StringIO()))


def test_the_sample_and_its_results_lie_in_the_folder(config: Any, tmp_path: Path) -> None:
    assert config.input == f"{tmp_path}/d/sample.mp4" and config.output == f"{tmp_path}/d/masked"
    assert {f.name for f in fields(DemoConfig)} >= {"folder", "input", "detector"}


def test_the_demo_shows_before_and_after(
    run: Any, config: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config) == 0
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == ["before_after.png", "sample.mp4"]
    assert str(tmp_path / "d" / "before_after.png") in capsys.readouterr().out


def test_the_sample_is_made_once(run: Any, config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(config) == 0
    monkeypatch.setattr(job, "portrait", None)
    assert run(config) == 0


def test_a_sample_that_cannot_be_made_leaves_nothing_half(
    run: Any, config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline() -> None:
        raise ModelError("no network")

    monkeypatch.setattr(job, "portrait", offline)
    with pytest.raises(ModelError):
        run(config)
    assert list((tmp_path / "d").iterdir()) == []
