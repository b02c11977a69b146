from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.assure.pairs import all_runs, find_pairs, find_run, names_of_outputs, pairs_of_run
from anonflow.errors import ConfigError
from anonflow.pipeline.ledger import Ledger
from anonflow.pipeline.rows import Outcome
from anonflow.remote.access import Access
from anonflow.remote.path import RemotePath
from anonflow.storage import StoragePath, write_bytes
from anonflow.types import Status
from tests.media import make_clip
from tests.pipeline.worlds import configuration

CONFIG = configuration().source


def test_two_files_are_a_pair(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "b.mkv").touch()
    (pair,) = find_pairs(tmp_path / "a.mp4", tmp_path / "b.mkv", CONFIG)
    assert (pair.name, pair.source, pair.output) == ("a.mp4", tmp_path / "a.mp4", tmp_path / "b.mkv")


def test_folders_are_paired_by_the_names_that_outputs_get(place: StoragePath) -> None:
    source, output = place / "in", place / "out"
    for name in ("a.mp4", "sub/b.avi", "c.ts"):
        make_clip_file(source / name)
    for name in ("a.mp4", "sub/b.avi.mkv", "_anonflow/x/y.mp4"):
        make_clip_file(output / name)
    found = {pair.name: pair.output for pair in find_pairs(source, output, CONFIG, access_of(place))}
    assert found == {"a.mp4": output / "a.mp4", "sub/b.avi": output / "sub/b.avi.mkv", "c.ts": None}


def test_every_output_that_may_be_a_sources_is_its_own_and_others_have_no_source(place: StoragePath) -> None:
    source, output = place / "in", place / "out"
    for path in (source / "a.mp4", source / "b.png", *(output / n for n in ("a.mp4", "a.mp4.mkv", "b.png"))):
        make_clip_file(path)
    make_clip_file(output / "sub" / "gone.mp4")
    make_clip_file(output / "_anonflow" / "run" / "report.json")
    found = [(p.name, p.source, p.output) for p in find_pairs(source, output, CONFIG, access_of(place))]
    assert sorted(found, key=str) == [
        ("a.mp4", source / "a.mp4", output / "a.mp4"),
        ("a.mp4", source / "a.mp4", output / "a.mp4.mkv"),
        ("b.png", source / "b.png", output / "b.png"),
        ("sub/gone.mp4", None, output / "sub/gone.mp4"),
    ]


@pytest.mark.parametrize(("source", "output"), [("a.mp4", "folder"), ("folder", "a.mp4"), ("nothing", "a.mp4")])
def test_what_is_no_pair_is_refused(tmp_path: Path, source: str, output: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.mp4").touch()
    with pytest.raises(ConfigError, match=r"folder|exist"):
        find_pairs(tmp_path / source, tmp_path / output, CONFIG)


def test_a_run_has_its_pairs_in_its_ledger(tmp_path: Path) -> None:
    made = make_clip(tmp_path / "made.mp4")
    folder = tmp_path / "_anonflow" / "run2"
    ledger = Ledger(folder)
    for name, status, output in (
        ("a.mp4", Status.PUBLISHED, made),
        ("b.mp4", Status.UNCHANGED, tmp_path / "gone.mp4"),
        ("c.mp4", Status.QUARANTINED, ""),
    ):
        ledger.add(
            Outcome(
                uri=str(tmp_path / "in" / "sub" / name),
                relative_path=f"sub/{name}",
                video_id=name,
                status=status,
                source_bytes=1,
                fingerprint="",
                output_uri=str(output),
                output_sha256="o",
                source_sha256="s",
            )
        )
    ledger.write()
    ledger.end()
    for given in (tmp_path, folder):
        assert find_run(given) == folder
        first, second = pairs_of_run(find_run(given))
        assert (first.name, first.output, first.output_sha256) == ("sub/a.mp4", made, "o")
        assert (second.name, second.output, second.source_sha256) == ("sub/b.mp4", None, "s")
    assert names_of_outputs(folder, {"o", "x"}) == {"o": "sub/c.mp4"}
    assert all_runs(folder.parent) == [folder]


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a finished run"):
        find_run(tmp_path)


def access_of(place: StoragePath) -> Access | None:
    return place.access if isinstance(place, RemotePath) else None


def make_clip_file(path: StoragePath) -> None:
    write_bytes(path, b"x")
