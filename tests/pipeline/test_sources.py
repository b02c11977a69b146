from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import hypothesis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

from anonflow.config import SourceConfig
from anonflow.errors import ConfigError
from anonflow.pipeline.rows import Row, to_table
from anonflow.pipeline.sources import list_sources, local_path

VIDEOS = SourceConfig(extensions=["mp4", "mkv"], on_damage="quarantine")


def touch(root: Path, *names: object) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def listed(given: Any, output: Any) -> Any:
    return list_sources(str(given), Path(output), VIDEOS)


def relative(given: Any, output: Any = "/nowhere") -> Any:
    return [source.relative_path for source in listed(given, output).sources]


def write_list(path: Path, *lines: object) -> Any:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def output_of(source: Any, output: Any) -> Any:
    """Where a result of this name would lie, links and `..` resolved."""
    return os.path.realpath(output / source.relative_path)


def test_a_file_is_taken_whatever_its_extension(tmp_path: Path) -> None:
    touch(tmp_path, "odd.bin")
    (source,) = listed(tmp_path / "odd.bin", "/nowhere").sources
    assert (source.uri, source.relative_path, source.size_bytes) == (str(tmp_path / "odd.bin"), "odd.bin", 1)


def test_a_folder_is_searched_to_its_depths_in_order(tmp_path: Path) -> None:
    touch(tmp_path, "b.mp4", "a/z.mkv", "a/B.MP4", "c.mp4", "a/deep/er/x.mp4")
    assert sorted(relative(tmp_path)) == ["a/B.MP4", "a/deep/er/x.mp4", "a/z.mkv", "b.mp4", "c.mp4"]
    assert relative(tmp_path) == relative(tmp_path)


def test_files_of_other_kinds_are_passed_over_and_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.JPG", "c.jpg", "README", ".hidden")
    listing = listed(tmp_path, "/nowhere")
    assert len(listing.sources) == 1
    assert listing.passed_over == {".jpg": 2, "(none)": 2}


@pytest.mark.timeout(20)
def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.mp4")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    assert relative(tmp_path / "in") == ["a.mp4"]


@pytest.mark.timeout(20)
def test_a_file_that_links_to_itself_does_not_stop_the_others(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.mp4")
    (tmp_path / "in" / "b.mp4").symlink_to("b.mp4")
    assert sorted(relative(tmp_path / "in")) == ["a.mp4", "b.mp4"]


def test_links_to_files_keep_their_names_and_dangling_ones_are_not_lost(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.mp4")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.mp4").symlink_to(tmp_path / "real" / "a.mp4")
    (tmp_path / "in" / "dangling.mp4").symlink_to(tmp_path / "gone.mp4")
    sources = {s.relative_path: s for s in listed(tmp_path / "in", "/nowhere").sources}
    assert sources["link.mp4"].size_bytes == 1
    assert sources["dangling.mp4"].size_bytes == -1, "the plan stage says what is wrong"


def test_a_folder_that_cannot_be_listed_is_not_silently_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video archive with one locked folder: what lies in it must not look as if it had never been there."""
    touch(tmp_path, "a.mp4", "locked/b.mp4")
    real = os.scandir

    def scandir(path: Path) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    try:
        listing = listed(tmp_path, "/nowhere")
    except ConfigError as error:
        assert "locked" in str(error)
        return
    assert any("locked" in s.uri for s in listing.sources) or sum(listing.passed_over.values()) > 0


def test_a_glob_takes_files_of_any_kind(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.mp4", "x/b.bin", "y/c.mp4", "d.mp4")
    (tmp_path / "x" / "folder.mp4").mkdir()
    assert relative(tmp_path / "*" / "*.mp4") == ["x/a.mp4", "y/c.mp4"]
    assert relative(tmp_path / "**" / "*.mp4") == ["d.mp4", "x/a.mp4", "y/c.mp4"]
    assert relative(tmp_path / "x" / "*") == ["a.mp4", "b.bin"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    touch(tmp_path, "clip[1].mp4", "clip1.mp4")
    assert relative(tmp_path / "clip[1].mp4") == ["clip[1].mp4"]


def test_a_text_list_takes_paths_uris_and_comments(tmp_path: Path) -> None:
    touch(tmp_path, "a b.mp4", "sub/ü ✓.mkv", "# odd.mp4", "-dash.mp4", "percent%20.mp4")
    names = ["# comment", "", "a b.mp4", "sub/ü ✓.mkv", f"file://{quote(str(tmp_path / '# odd.mp4'))}"]
    found = relative(write_list(tmp_path / "list.txt", *names, "-dash.mp4", "percent%20.mp4"))
    assert found == ["a b.mp4", "sub/ü ✓.mkv", "# odd.mp4", "-dash.mp4", "percent%20.mp4"]


def test_a_parquet_list_can_hold_any_name(tmp_path: Path) -> None:
    touch(tmp_path, "new\nline.mp4", "a.mp4")
    pq.write_table(pa.table({"uri": ["new\nline.mp4", str(tmp_path / "a.mp4")]}), tmp_path / "list.parquet")
    assert relative(tmp_path / "list.parquet") == ["new\nline.mp4", "a.mp4"]


def test_separators_of_other_alphabets_do_not_split_a_line(tmp_path: Path) -> None:
    """Only line feeds end a line of a list; file names may hold what Unicode calls a line separator."""
    touch(tmp_path, "one\u2028two.mp4", "three\x0bfour.mp4")
    found = relative(write_list(tmp_path / "list.txt", "one\u2028two.mp4", "three\x0bfour.mp4"))
    assert found == ["one\u2028two.mp4", "three\x0bfour.mp4"]


def test_a_list_written_on_windows_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4")
    (tmp_path / "list.txt").write_bytes("\ufeffa.mp4\r\nb.mp4\r\n".encode())
    assert relative(tmp_path / "list.txt") == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("content", [b"not parquet", None])
def test_a_list_that_is_no_list_is_a_configuration_error(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "list.parquet"
    if content is None:
        pq.write_table(pa.table({"path": ["a.mp4"]}), path)
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"list\.parquet"):
        listed(path, "/nowhere")


def test_files_of_a_list_that_are_missing_are_kept_to_be_told_of(tmp_path: Path) -> None:
    (source,) = listed(write_list(tmp_path / "list.txt", "gone.mp4"), "/nowhere").sources
    assert source.size_bytes == -1 and source.uri == str(tmp_path / "gone.mp4")


def test_a_name_given_twice_is_one_source(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    names = ["a.mp4", "./a.mp4", str(tmp_path / "x" / ".." / "a.mp4"), f"file://{tmp_path}/a.mp4", "a.mp4"]
    assert relative(write_list(tmp_path / "list.txt", *names)) == ["a.mp4"]


def test_files_of_several_folders_keep_their_tree(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.mp4", "two/a.mp4")
    assert relative(write_list(tmp_path / "list.txt", "one/a.mp4", "two/a.mp4")) == ["one/a.mp4", "two/a.mp4"]


@pytest.mark.parametrize("name", ["missing.mp4", "missing"])
def test_a_missing_file_is_listed_for_the_plan_stage(tmp_path: Path, name: Any) -> None:
    assert listed(tmp_path / name, "/nowhere").sources[0].size_bytes == -1


def test_nothing_found_is_a_configuration_error_that_says_what_lies_there(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.jpg", "in/b.jpg")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"2 \.jpg"):
        listed(tmp_path / "in", "/nowhere")
    for given in (tmp_path / "empty", tmp_path / "*.mp4", write_list(tmp_path / "l.txt", "# nothing")):
        with pytest.raises(ConfigError, match="no files there"):
            listed(given, "/nowhere")


def test_other_schemes_are_refused() -> None:
    for uri in ("s3://bucket/a.mp4", "https://example.org/a.mp4"):
        with pytest.raises(ConfigError, match="not possible here"):
            local_path(uri)


def test_paths_are_absolute_and_a_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert local_path("~/a.mp4") == local_path("a.mp4") == str(tmp_path / "a.mp4")
    assert local_path("-rf") == str(tmp_path / "-rf")
    assert local_path("a.mp4", Path("/lists")) == "/lists/a.mp4"
    assert local_path("file:///x/a%20b.mp4") == "/x/a b.mp4"


def test_a_relative_file_uri_is_relative_to_the_list_or_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    try:
        found = listed(write_list(tmp_path / "list.txt", "file:a.mp4"), "/nowhere").sources
    except ConfigError:
        return
    assert [s.uri for s in found] == [str(tmp_path / "a.mp4")]


# --- the output ------------------------------------------------------------------------------------------


def test_the_output_inside_the_input_is_no_input(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "out/a.mp4", "out/_anonflow/x.mp4", "sub/_anonflow/y.mp4", "outer/b.mp4")
    assert relative(tmp_path, tmp_path / "out") == ["a.mp4", "outer/b.mp4"]
    assert relative(tmp_path / "**" / "*.mp4", tmp_path / "out") == ["a.mp4", "outer/b.mp4"]


def test_an_output_inside_the_input_is_recognised_through_a_link(tmp_path: Path) -> None:
    """Else a second run takes the results of the first for inputs."""
    touch(tmp_path, "in/a.mp4", "in/out/a.mp4")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    assert relative(tmp_path / "in", tmp_path / "link" / "out") == ["a.mp4"]


@pytest.mark.parametrize("given", [".", "a.mp4", "*.mp4", "list.txt"])
def test_overwriting_an_input_is_refused(tmp_path: Path, given: Any) -> None:
    touch(tmp_path, "a.mp4")
    write_list(tmp_path / "list.txt", "a.mp4")
    with pytest.raises(ConfigError, match=r"overwrite|no files|no videos"):
        listed(tmp_path / given, tmp_path)


def test_an_input_is_not_overwritten_through_a_link_to_its_folder(tmp_path: Path) -> None:
    """The names differ, the file is the same: the rename would replace the original by its masked version."""
    touch(tmp_path, "in/a.mp4")
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(ConfigError, match="overwrite"):
        listed(tmp_path / "in", tmp_path / "link")


def test_an_input_is_not_overwritten_by_the_result_of_another_one(tmp_path: Path) -> None:
    """x/a.mp4 stays where it is; the result of a.mp4 would take its name."""
    touch(tmp_path, "a.mp4", "x/a.mp4")
    given = write_list(tmp_path / "list.txt", "a.mp4", "x/a.mp4")
    output = tmp_path / "x"
    try:
        sources = listed(given, output).sources
    except ConfigError:
        return
    uris = {os.path.realpath(s.uri) for s in sources}
    assert not uris & {output_of(s, output) for s in sources}


def test_results_stay_below_the_output(tmp_path: Path) -> None:
    """A file: URI with `..` in it is a legal name of a file, but no way out of the output folder."""
    touch(tmp_path, "x/in/b.mp4", "y/a.mp4")
    uris = [f"file://{tmp_path}/x/in/../../y/a.mp4", f"file://{tmp_path}/x/in/b.mp4"]
    output = tmp_path / "out" / "deep"
    sources = listed(write_list(tmp_path / "list.txt", *uris), output).sources
    for source in sources:
        assert Path(output_of(source, output)).is_relative_to(output)


# --- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["-rf.mp4", "new\nline.mp4", "ünï ✓.mp4", " .mp4", "%s {0} $X.mp4", "'\".mp4"])
def test_odd_names_go_through(tmp_path: Path, name: Any) -> None:
    touch(tmp_path, name)
    (source,) = listed(tmp_path, "/nowhere").sources
    assert source.uri == str(tmp_path / name) and source.relative_path == name
    assert to_table([Row.of(source)]).num_rows == 1


def test_a_name_that_is_no_utf8_does_not_stop_the_other_sources(tmp_path: Path) -> None:
    """Old archives hold Latin-1 names. Such a file may be refused, but not the run with all the others."""
    touch(tmp_path, "good.mp4")
    (tmp_path / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"x")
    sources = listed(tmp_path, "/nowhere").sources
    assert "good.mp4" in [s.relative_path for s in sources]
    assert to_table([Row.of(source) for source in sources]).num_rows == len(sources)


def test_a_list_that_is_no_utf8_is_read_or_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"x")
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.mp4\n")
    try:
        assert len(listed(tmp_path / "list.txt", "/nowhere").sources) == 1
    except ConfigError as error:
        assert "list.txt" in str(error)


# --- identity --------------------------------------------------------------------------------------------


def test_the_id_of_a_video_is_stable_and_follows_its_version(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4")
    path = tmp_path / "a.mp4"

    def ids() -> Any:
        return [s.video_id for s in listed(tmp_path, "/nowhere").sources]

    first = ids()
    assert first == ids() and len(set(first)) == 2
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert ids()[0] != first[0] and ids()[1] == first[1]
    path.write_bytes(b"xy")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert ids()[0] != first[0]


def test_the_id_does_not_depend_on_how_the_source_was_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4")
    one = listed(tmp_path, "/nowhere").sources[0]
    assert one == listed(tmp_path / "a.mp4", "/nowhere").sources[0]
    assert one == listed(f"file://{tmp_path}/a.mp4", "/nowhere").sources[0]


STEPS = st.sampled_from(["..", ".", "a", "b", "a b", "ü", "%d", "-x", "list", "*"])
ENTRIES = st.lists(st.lists(STEPS, min_size=1, max_size=6).map("/".join), min_size=1, max_size=5)


@hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(entries=ENTRIES)
def test_no_list_leads_a_result_out_of_the_output(tmp_path: Path, entries: list[str]) -> None:
    """Whatever `..` the entries hold; files of a list need not exist to be listed."""
    (tmp_path / "deep" / "er").mkdir(parents=True, exist_ok=True)
    listing = write_list(tmp_path / "deep" / "er" / "list.txt", *[f"{entry}/clip.mp4" for entry in entries])
    output = tmp_path / "out"
    try:
        sources = listed(listing, output).sources
    except ConfigError:
        return  # two of one name
    for source in sources:
        assert ".." not in source.relative_path.split("/")
        assert Path(output_of(source, output)).is_relative_to(output)


def test_brackets_in_a_path_are_no_address() -> None:
    assert local_path("//nas[1]/clips") == "//nas[1]/clips"
    with pytest.raises(ConfigError, match="not possible here"):
        local_path("s3://[bucket/clips")
