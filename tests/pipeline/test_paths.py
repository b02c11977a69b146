from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from anonflow.pipeline.paths import Keys, Paths
from anonflow.storage import write_bytes

KEYS = Keys("p", "d", "t", "m")


def paths_in(root: Path, run_id: Any = "run1", keys: Any = KEYS) -> Any:
    return Paths(root / "out", root / "work", run_id, keys)


def results(paths: Paths, video: Any = "v") -> Any:
    """Every result on the way to a video's end."""
    return [
        paths.index(video),
        *(paths.detections(video, i) for i in (0, 1)),
        *(paths.tracks(video, i) for i in (0, 1)),
        paths.mask_plan(video),
        *(paths.segment(video, i) for i in (0, 1)),
        *(paths.note(paths.segment(video, i)) for i in (0, 1)),
        *(paths.digests(video, i) for i in (0, 1)),
    ]


def test_shared_detections_outlive_the_work_of_a_video(tmp_path: Path) -> None:
    paths = Paths(tmp_path, tmp_path / "work", "run", Keys("p", "d", "t", "m"), tmp_path / "shared")
    for path in (paths.detections("v", 0), paths.facts("v", 0), paths.tracks("v", 0)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    paths.remove_work("v")
    assert paths.detections("v", 0).exists() and paths.facts("v", 0).exists() and not paths.tracks("v", 0).exists()


def test_all_names_differ(tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    made = results(paths) + results(paths, "w")
    tried = [f(v, 0) for f in (paths.detections, paths.tracks, paths.segment) for v in "vw"]
    tried += [f(v) for f in (paths.index, paths.mask_plan) for v in "vw"]
    made += [paths.failure(path) for path in tried] + [paths.attempts(path) for path in tried]
    made += [f("v") for f in (paths.done, paths.ended, paths.video_digests)]
    made += [paths.closed("stitch", "v"), paths.closed("join", "v")]
    assert len(set(made)) == len(made)


def test_results_are_found_again_by_a_later_run_but_failures_are_not(tmp_path: Path) -> None:
    one, other = paths_in(tmp_path), paths_in(tmp_path, "run2")
    assert results(one) == results(other) and one.done("v") == other.done("v")
    for result in results(one):
        assert one.failure(result) != other.failure(result)
        assert one.attempts(result) != other.attempts(result)
    assert one.ended("v") != other.ended("v")
    assert one.closed("join", "v") != other.closed("join", "v")


def test_each_key_has_its_own_results(tmp_path: Path) -> None:
    one = paths_in(tmp_path)
    for field in fields(Keys):
        other = paths_in(tmp_path, keys=Keys(**{**vars(KEYS), field.name: "changed"}))
        assert set(results(one)) != set(results(other))


def test_unfinished_and_control_files_lie_in_the_file_system_of_the_output(tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    for path in (paths.partial, paths.run, paths.done("v")):
        assert path.is_relative_to(paths.control) and path.is_relative_to(paths.output)


def test_removing_the_work_of_a_video_leaves_that_of_the_others(tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    for video in ("v", "vv"):
        for result in results(paths, video):
            write_bytes(result, b"x")
            write_bytes(paths.failure(result), b"x")
            write_bytes(paths.attempts(result), b"x")
    paths.remove_work("v")
    paths.remove_work("v")
    left = [path for path in (tmp_path / "work").rglob("*") if path.is_file()]
    assert set(results(paths, "vv")) <= set(left)
    assert not [path for path in left if "v" in path.relative_to(tmp_path).parts or path.name.startswith("v.")]


def test_paths_are_values() -> None:
    assert paths_in(Path("/x")) == paths_in(Path("/x"))
