from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.config import SourceConfig
from anonflow.errors import ConfigError, SourceError
from anonflow.pipeline.collisions import CONTAINERS, output_path, refuse_collisions, require_inside
from anonflow.types import Source

FILES = SourceConfig(["mp4"], picture_extensions=["jpg"])


def source(path: Path, relative_path: str | None = None) -> Source:
    return Source(str(path), relative_path or path.name, "v", size_bytes=1, modified_ns=1)


@pytest.mark.parametrize(
    ("relative_path", "container", "expected"),
    [
        ("a.mp4", ".mp4", "a.mp4"),
        ("deep/a.MP4", ".mp4", "deep/a.MP4"),
        ("a.avi", ".mkv", "a.avi.mkv"),
        ("a", ".mp4", "a.mp4"),
        ("a.b.webm", ".mkv", "a.b.webm.mkv"),
    ],
)
def test_a_result_keeps_its_name_and_gains_a_container(relative_path: str, container: str, expected: str) -> None:
    assert output_path(Path("/out"), relative_path, container) == Path("/out") / expected


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_result_beside_its_source_is_refused_where_it_would_overwrite_one(tmp_path: Path, container: str) -> None:
    inputs = [source(tmp_path / "a.avi"), source(tmp_path / f"a.avi{container}")]
    with pytest.raises(ConfigError, match="overwrite the input"):
        refuse_collisions(inputs, tmp_path, FILES)
    refuse_collisions(inputs[:1], tmp_path, FILES)


def test_an_input_reached_through_a_link_is_the_same_input(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.mp4").write_bytes(b"x")
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "file.mp4").symlink_to(tmp_path / "real" / "a.mp4")
    for path in (tmp_path / "folder" / "a.mp4", tmp_path / "file.mp4"):
        with pytest.raises(ConfigError, match="overwrite the input"):
            refuse_collisions([source(path, "a.mp4")], (tmp_path / "real").resolve(), FILES)


def test_two_sources_may_not_have_one_result() -> None:
    two = [source(Path("/x/a.mp4")), source(Path("/y/a.mp4"))]
    with pytest.raises(ConfigError, match="same output name"):
        refuse_collisions(two, Path("/out"), FILES)


def test_a_container_that_one_source_may_gain_collides_with_another() -> None:
    with pytest.raises(ConfigError, match="same output name"):
        refuse_collisions([source(Path("/x/a")), source(Path("/x/a.mp4"))], Path("/out"), FILES)


def test_a_picture_gets_its_own_name_and_no_other(tmp_path: Path) -> None:
    refuse_collisions([source(Path("/x/a.jpg")), source(Path("/x/a.jpg.mp4"))], Path("/out"), FILES)
    with pytest.raises(ConfigError, match="would overwrite the input"):
        refuse_collisions([source(tmp_path / "a.jpg")], tmp_path, FILES)


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=255
).filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) <= 255)


@settings(deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=4), container=st.sampled_from(CONTAINERS))
def test_a_result_has_a_name_that_a_file_system_takes_in_the_folder_of_its_source(
    names: list[str], container: str
) -> None:
    path = output_path(Path("/out"), "/".join(names), container)
    assert path.parts[2:-1] == tuple(names[:-1])
    assert len(os.fsencode(path.name)) <= 255 and path.suffix.lower() == container
    assert path == output_path(Path("/out"), "/".join(names), container)


def test_names_that_are_cut_stay_apart() -> None:
    long = [f"{'ü' * 120}{end}.avi" for end in "ab"]
    one, other = (output_path(Path("/out"), name, ".mkv").name for name in long)
    assert one != other and one.startswith("üü") and one.endswith(".avi.mkv")
    refuse_collisions([source(Path("/in") / name) for name in long], Path("/out"), FILES)


def test_a_link_may_not_lead_out_of_the_output(tmp_path: Path) -> None:
    output, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    output.mkdir()
    elsewhere.mkdir()
    (output / "away").symlink_to(elsewhere)
    (output / "within").symlink_to(output / "deep")
    for inside in ("a.mp4", "deep/a.mp4", "within/a.mp4"):
        require_inside(output / inside, output, "a.mp4")
    for outside in ("away/a.mp4", "away/deeper/a.mp4", "../a.mp4"):
        with pytest.raises(SourceError, match="outside"):
            require_inside(output / outside, output, "a.mp4")
