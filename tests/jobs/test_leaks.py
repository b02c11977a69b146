from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hydra import compose, initialize_config_module
from rich.console import Console

from anonflow.errors import ConfigError
from anonflow.evaluate.benchmark import POOLED
from anonflow.evaluate.methods import ladder
from anonflow.evaluate.scenes import SCENES, suite
from anonflow.jobs import leaks as job
from anonflow.jobs.launch import typed
from anonflow.jobs.leaks import LeaksConfig


def config(*overrides: str) -> LeaksConfig:
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        return typed(compose("leaks", overrides=list(overrides)), LeaksConfig)


METHODS = list(ladder(config()))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The job, without Hydra."""
    captured: Any = []
    monkeypatch.setattr(job, "launch", lambda *given: captured.append(given) or 0)
    assert job.main() == 0
    ((name, schema, run),) = captured
    assert (name, schema) == ("leaks", LeaksConfig)
    return lambda *overrides: run(config(*overrides), Console(file=io.StringIO()))


def test_the_table_is_printed_and_written(
    measured: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measured("scenes=[fast_5fps,cuts]", f"output={tmp_path}/new") == 0
    said = capsys.readouterr().out
    rows = pq.read_table(tmp_path / "new" / "leaks.parquet").to_pylist()
    assert [(r["scene"], r["method"]) for r in rows] == [
        (scene, method) for scene in ("fast_5fps", "cuts", POOLED) for method in METHODS
    ]
    for name in (*METHODS, "fast_5fps", "cuts", POOLED, "leaking %", "leaks.parquet", "leaks.md"):
        assert name in said
    assert max(len(line) for line in said.splitlines()[:10]) > 80, "the table is not folded"


def test_nothing_is_written_unless_asked(
    measured: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert measured("scenes=[fast_5fps]") == 0
    assert list(tmp_path.iterdir()) == [] and "fast_5fps" in capsys.readouterr().out


def test_the_settings_count(measured: Any, tmp_path: Path) -> None:
    """More of everything leaks less; a stricter measure finds more."""
    shares = []
    for number, overrides in enumerate(
        ((), ("stabilise.extend_before_s=2", "stabilise.extend_after_s=2"), ("covered_share=1.0",))
    ):
        measured("scenes=[births]", f"output={tmp_path}/{number}", *overrides)
        shares.append(pq.read_table(tmp_path / str(number) / "leaks.parquet").to_pylist()[-1]["leak_share"])
    assert shares[1] < shares[0] < shares[2]
    measured("scenes=[occlusion]", f"output={tmp_path}/hidden", f"min_visible={0.5}")
    hidden = pq.read_table(tmp_path / "hidden" / "leaks.parquet").to_pylist()[-1]
    assert 0 < hidden["object_frames"] < len(suite(["occlusion"])[0].truth)


def names(*overrides: str) -> list[str]:
    return [scene.name for scene in job._scenes(config(*overrides))]


def test_all_scenes_or_those_named_or_the_video(monkeypatch: pytest.MonkeyPatch) -> None:
    given: Any = []
    (stand_in,) = suite(["fast_5fps"])
    monkeypatch.setattr(job, "recorded_scene", lambda *parts: given.append(parts) or stand_in)
    video = ("input=a.mp4", "truth=b.txt", "truth_label=plate", "runtime.provider=cpu")
    assert names() == list(SCENES) and names("scenes=[pan]") == ["pan"] and given == []
    assert names(*video, "runtime.model_cache=c", "runtime.model_dirs=[d]") == ["fast_5fps"]
    ((path, truth, label, detectors, store, provider),) = given
    assert (path, truth, label, provider) == (Path("a.mp4"), Path("b.txt"), "plate", "cpu")
    assert sorted(detectors) == ["face", "plate"]
    assert (store.cache_dir, store.model_dirs) == (Path("c"), [Path("d")])
    assert names(*video, "scenes=[pan]") == ["pan", "fast_5fps"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["input=a.mp4"], "belong together"),
        (["truth=a.txt"], "belong together"),
        (["scenes=[]"], "nothing to measure"),
        (["covered_share=0"], "covered_share"),
        (["covered_share=1.1"], "covered_share"),
        (["min_visible=1"], "min_visible"),
        (["min_visible=-0.1"], "min_visible"),
        (["~mask.plate"], "mask.plate"),
        (["+nonsense=1"], "nonsense"),
        (["+runtime.address=auto"], "runtime.address"),
    ],
)
def test_a_wrong_configuration_is_refused(overrides: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        config(*overrides)


@pytest.mark.parametrize("argument", ["scenes=[nonsense]", "detector=nonsense", "input=a.mp4", "detector=faces"])
def test_a_wrong_command_line_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argument: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["anonflow leaks", argument])
    assert job.main() == 2
    assert "Traceback" not in capsys.readouterr().err
