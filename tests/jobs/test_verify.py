from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_module
from rich.console import Console

from anonflow.config import TimeSpan, VideoRegions
from anonflow.errors import ConfigError
from anonflow.evidence.signing import read_signing_key
from anonflow.jobs import verify as job
from anonflow.jobs.launch import typed
from anonflow.jobs.verify import VerifyConfig, named
from tests.assure.records import run_of
from tests.evidence.keys import key_pair
from tests.media import Clip
from tests.pipeline.sealed import finish
from tests.pipeline.worlds import FixedDetector, World, run_all, use_detector


def config(*overrides: str) -> VerifyConfig:
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        return typed(compose("verify", overrides=list(overrides)), VerifyConfig)


def run(*arguments: str) -> int:
    return job._run(config(*named(arguments)), Console(file=io.StringIO()))


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A run that published two videos."""
    use_detector(monkeypatch, FixedDetector())
    world = World.make(tmp_path)
    world.clip("a.mp4", Clip(n_frames=20, audio=("aac",)))
    world.clip("b, c='d'.mp4", Clip(n_frames=20))
    return ended(world)


def ended(world: World) -> World:
    """Everything is run, and the run has its ledger and its report."""
    finish(world, "run1", run_all(world.rows(), world.context()))
    return world


def test_a_run_two_folders_and_two_files(finished: World, capsys: pytest.CaptureFixture[str]) -> None:
    source, output = finished.root / "in", finished.output
    assert run(str(output)) == 0
    assert "hold    2" in capsys.readouterr().out
    assert run(str(source), str(output)) == 0
    assert run(str(source / "a.mp4"), str(output / "a.mp4")) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("timestamps", "audio packets", "captions and user data"))
    assert run(str(source / "b, c='d'.mp4"), str(output / "b, c='d'.mp4")) == 0


def test_spans_muted_by_a_regions_file_are_verified_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_detector(monkeypatch, FixedDetector())
    world = World.make(tmp_path, "audio=mute_spans", "audio.spans=[[0,0.1]]")
    muting = VideoRegions(videos="sub/*", mute=(TimeSpan(0.2, 0.6),))
    audio = replace(world.config.audio, spans=())
    world = World(tmp_path, replace(world.config, regions=[muting], audio=audio))
    world.clip("sub/a.mp4", Clip(n_frames=20, audio=("aac",)))
    ended(world)
    with pytest.raises(ConfigError, match="regions=FILE"):
        run(str(world.output))
    regions = tmp_path / "regions.yaml"
    regions.write_text("- videos: 'sub/*'\n  mute: [{from_s: 0.2, to_s: 0.6}]\n")
    assert run(str(world.output), f"regions={regions}") == 0


def test_what_is_broken_is_told_with_its_points(
    finished: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (finished.output / "a.mp4").open("ab") as file:
        file.write(b"more")
    (finished.output / "b, c='d'.mp4").unlink()
    assert run(str(finished.output), f"report={tmp_path}/points.json") == 3
    said = capsys.readouterr().out
    assert "broken  2" in said and "output as published" in said and "there is none" in said
    points = json.loads((tmp_path / "points.json").read_text())
    assert [entry["name"] for entry in points] == ["a.mp4", "b, c='d'.mp4"]
    assert points[1]["checks"] == [{"name": "output", "verdict": "broken", "detail": "there is none"}]


def test_no_run_and_nothing_published(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a finished run"):
        run(str(tmp_path))
    world = World.make(tmp_path)
    (tmp_path / "in" / "a.mp4").touch()
    assert run(str(ended(world).output)) == 0


def test_a_run_brings_its_own_values(finished: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_overridden", lambda: ["video", "video.metadata", "output"])
    with pytest.raises(ConfigError, match="video: a finished run"):
        run(str(finished.output))


@pytest.mark.parametrize(
    ("arguments", "overrides"),
    [
        (["a", "b"], ["input='a'", "output='b'"]),
        (["out"], ["output='out'"]),
        (["a b", "it's", "video=hevc"], ["input='a b'", r"output='it\'s'", "video=hevc"]),
        (["input=a", "output=b"], ["input=a", "output=b"]),
        (["a", "b", "c"], ["a", "b", "c"]),
        (["--help"], ["--help"]),
        ([], []),
    ],
)
def test_paths_without_a_key(arguments: list[str], overrides: list[str]) -> None:
    assert named(arguments) == overrides


def test_a_path_with_an_equals_sign_is_a_path_if_it_exists(tmp_path: Path) -> None:
    (tmp_path / "a=b.mp4").touch()
    assert named([f"{tmp_path}/a=b.mp4", "out.mp4"])[0] == f"input='{tmp_path}/a=b.mp4'"


def test_workers_are_checked() -> None:
    with pytest.raises(ConfigError, match="workers"):
        config("output=x", "workers=0")


def test_main_passes_the_arguments_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, "argv", ["anonflow verify", "a", "b"])
    monkeypatch.setattr(job, "launch", lambda *given: seen.append((given[0], sys.argv[1:])) or 0)
    assert job.main() == 0 and seen == [("verify", ["input='a'", "output='b'"])]


def test_exchanged_outputs_are_named(finished: World, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = finished.output / "a.mp4", finished.output / "b, c='d'.mp4"
    aside = first.rename(first.with_name("aside"))
    second.rename(first)
    aside.rename(second)
    assert run(str(finished.output), "compare=false") == 3
    said = " ".join(capsys.readouterr().out.split())
    assert "a.mp4: output as published (SHA-256; it holds the output of b, c='d'.mp4)" in said
    assert "it holds the output of a.mp4)" in said and "hold 0" in said


def test_sources_that_are_gone_are_not_compared(finished: World, capsys: pytest.CaptureFixture[str]) -> None:
    (finished.root / "in" / "a.mp4").unlink()
    assert run(str(finished.output)) == 0
    said = capsys.readouterr().out
    assert "hold    2" in said and "1 were not compared with their sources" in said
    (finished.output / "a.mp4").write_bytes(b"other")
    assert run(str(finished.output)) == 3


@pytest.mark.parametrize("name", ["ledger.parquet", "chains.jsonl", "report.json", "root.json"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]"])
def test_a_record_that_is_not_there_or_nonsense_is_broken_not_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes | None
) -> None:
    world = World.make(tmp_path)
    path = run_of(world, "run1") / name
    path.unlink() if content is None else path.write_bytes(content)
    if name == "ledger.parquet" and content is None:
        with pytest.raises(ConfigError, match="neither a finished run"):
            run(str(world.output), "compare=false")
        return
    assert run(str(world.output), "compare=false") == 3
    assert "record  of run run1: broken" in capsys.readouterr().out


def test_all_runs_and_signatures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World.make(tmp_path)
    private, public = key_pair(tmp_path)
    first = run_of(world, "run1", "ad", read_signing_key(private))
    run_of(world, "run2", "ad", read_signing_key(private))
    arguments = (str(world.output), f"public_key={public}", "compare=false")
    assert run(*arguments) == run(*arguments, "all_runs=true") == 0
    (first / "report.json").write_text("{}")
    assert run(*arguments) == 0 and run(*arguments, "all_runs=true") == 3
    assert "run run1: report" in capsys.readouterr().out
    (world.output / "_anonflow" / "run2" / "signature.json").unlink()
    assert run(*arguments) == 3
    with pytest.raises(ConfigError, match="public_key"):
        run(str(world.root / "in"), str(world.output), f"public_key={public}")


def test_a_model_at_hand_that_is_another_is_told(
    finished: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m").mkdir()
    model = finished.config.detector["face"].model
    (tmp_path / "m" / f"{model.id}.onnx").write_bytes(b"other weights")
    assert run(str(finished.output), "compare=false", f"model_dirs=[{tmp_path / 'm'}]") == 3
    assert f"is not the model {model.id}" in " ".join(capsys.readouterr().out.split())
