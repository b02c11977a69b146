"""What must be refused before anything starts. Whole runs are in tests/e2e."""

from __future__ import annotations

import fcntl
import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from anonflow.config import RegionConfig, VideoRegions
from anonflow.errors import ConfigError, ModelError
from anonflow.pipeline import run as run_module
from anonflow.pipeline.run import anonymize
from tests.pipeline.worlds import World

CONSOLE = Console(file=io.StringIO())


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may start."""
    monkeypatch.setattr(run_module, "connected", None)


def with_runtime(world: World, **values: Any) -> Any:
    return replace(world.config, runtime=replace(world.config.runtime, **values))


def test_an_input_without_videos_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match="no files there"):
        anonymize(world.config, CONSOLE)


def test_an_output_that_is_a_file_is_refused(world: World) -> None:
    world.clip()
    world.output.write_text("mine")
    with pytest.raises(ConfigError, match="output="):
        anonymize(world.config, CONSOLE)
    assert world.output.read_text() == "mine"


def test_an_output_that_would_overwrite_the_input_is_refused(world: World) -> None:
    before = world.clip().read_bytes()
    with pytest.raises(ConfigError, match="overwrite"):
        anonymize(replace(world.config, output=world.config.input), CONSOLE)
    assert (world.root / "in" / "clip.mp4").read_bytes() == before


def without_model(world: World) -> Any:
    """A configuration whose model cannot be had."""
    face = world.config.detector["face"]
    model = replace(face.model, uri="file:/nowhere/face.onnx", sha256="0" * 64)
    config = with_runtime(world, model_cache=str(world.root / "m"))
    return replace(config, detector={"face": replace(face, model=model)})


def test_a_model_that_cannot_be_had_is_refused(world: World) -> None:
    world.clip()
    with pytest.raises(ModelError, match="model_dirs"):
        anonymize(without_model(world), CONSOLE)


def test_two_runs_do_not_write_to_one_output(world: World) -> None:
    world.clip()
    control = world.output / "_anonflow"
    control.mkdir(parents=True)
    with (control / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="Another run"):
            anonymize(world.config, CONSOLE)


def test_a_refused_run_leaves_the_unfinished_files_of_a_running_one_alone(world: World) -> None:
    world.clip()
    partial = world.output / "_anonflow" / "partial"
    partial.mkdir(parents=True)
    (partial / "x.mp4").touch()
    with (world.output / "_anonflow" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ConfigError):
            anonymize(world.config, CONSOLE)
    assert (partial / "x.mp4").exists()


def test_a_refused_input_leaves_no_output_folder(world: World) -> None:
    """A typing error in the input must not litter."""
    with pytest.raises(ConfigError):
        anonymize(replace(world.config, input=str(world.root / "in" / "*.mp4")), CONSOLE)
    assert not [path for path in world.output.rglob("*") if path.is_file()]


def test_a_pattern_that_matches_no_input_is_told_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wanted hidden is not hidden; so a slip in it must not go unnoticed."""
    world.clip("cam1/a.mp4")
    hide = (RegionConfig(box=(0.0, 0.0, 1.0, 0.1)),)
    regions = [VideoRegions("cam1/*", hide=hide), VideoRegions("cam1/*.MP4", hide=hide)]
    told = []
    monkeypatch.setattr(run_module.log, "warning", lambda message, *values: told.append(message % values))
    with pytest.raises(ModelError):
        anonymize(replace(without_model(world), regions=regions), CONSOLE)
    assert len(told) == 1 and "cam1/*.MP4" in told[0]


def test_what_holds_names_or_boxes_is_for_its_owner_alone(world: World) -> None:
    paths = run_module._prepare_paths(world.config)
    folders = (paths.control, paths.control / "done", paths.work, paths.partial)
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    run_module.Ledger(paths.run)
    assert paths.run.stat().st_mode & 0o777 == 0o700
    assert (paths.run / "ledger.jsonl").stat().st_mode & 0o777 == 0o600
