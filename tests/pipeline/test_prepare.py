from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from anonflow.errors import ConfigError
from anonflow.pipeline.prepare import from_anywhere, list_wanted, model_cache, only_run_on, prepare_paths
from anonflow.storage import StoragePath, write_bytes
from tests.pipeline.worlds import World, configuration


def test_folders_that_hold_names_are_for_their_owner_alone(world: World) -> None:
    paths = prepare_paths(world.config)
    for folder in (paths.control, paths.control / "done", paths.work, paths.partial):
        assert isinstance(folder, Path)
        assert folder.stat().st_mode & 0o777 == 0o700


def test_every_run_has_an_id_of_its_own(world: World) -> None:
    assert prepare_paths(world.config).run_id != prepare_paths(world.config).run_id


def test_only_the_inputs_that_were_asked_for_are_taken(world: World) -> None:
    wanted = str(world.clip("a.mp4"))
    world.clip("b.mp4")
    listing = list_wanted(world.config, world.context().paths, [wanted, "/gone.mp4"])
    assert [source.uri for source in listing.sources] == [wanted]
    with pytest.raises(ConfigError, match="none is in"):
        list_wanted(world.config, world.context().paths, ["/gone.mp4"])


def test_the_record_holds_in_any_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = configuration("input=in", "output=s3://bucket/out", "runtime.work_dir=work", "runtime.model_dirs=[m]")
    made = from_anywhere(config)
    assert made["input"] == str(tmp_path / "in") and made["output"] == "s3://bucket/out"
    assert made["runtime"]["work_dir"] == str(tmp_path / "work")
    assert made["runtime"]["model_dirs"] == [str(tmp_path / "m")]


def test_what_a_killed_run_left_half_is_removed_first(world: World) -> None:
    paths = prepare_paths(world.config)
    assert isinstance(paths.partial, Path)
    (paths.partial / "x.mp4").touch()
    with only_run_on(paths, 30) as hold:
        hold.check()
        assert not paths.partial.exists()


def test_a_first_run_keeps_the_second_out_though_stores_have_no_folders_yet(
    place: StoragePath, world: World
) -> None:
    paths = replace(world.context().paths, output=place / "out", work=place / "work")
    with only_run_on(paths, 30):
        write_bytes(paths.output / "_anonflow" / "run1" / "run.json", b"{}")
        with pytest.raises(ConfigError, match="Another run"), only_run_on(replace(paths, run_id="run2"), 30):
            pass
    left = {path.relative_to(paths.output).parts[0] for path in paths.output.rglob("*")}  # type: ignore[arg-type]
    assert left == {"_anonflow"}


def test_the_model_cache_is_where_the_user_says(tmp_path: Path) -> None:
    config = configuration()
    runtime = replace(config.runtime, model_cache=str(tmp_path))
    assert model_cache(replace(config, runtime=runtime)) == tmp_path
