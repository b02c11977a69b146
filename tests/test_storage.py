from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow import storage
from anonflow.claims import create_exclusive
from anonflow.errors import ConfigError, NoSpaceError, StorageError, StorageMissingError, WritePermissionError
from anonflow.remote.access import Access
from anonflow.remote.path import RemotePath
from anonflow.storage import (
    StoragePath,
    Version,
    arrow_source,
    canonical_json,
    file_sha256,
    fingerprint,
    located,
    make_private_folder,
    move_into_place,
    naming_storage_errors,
    read_if_there,
    remove_all,
    remove_empty_folders,
    remove_tree,
    require_writable,
    same_file,
    staged,
    storage_error,
    version_of,
    write_bytes,
    write_json,
    write_private_json,
    written_whole,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda children: st.lists(children) | st.dictionaries(st.text(st.characters(codec="utf-8")), children),
    max_leaves=8,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_whole_under_its_name(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a.bin"
    with written_whole(target) as partial:
        assert partial.parent == target.parent, "a rename is atomic within one file system only"
        partial.write_bytes(b"half")
        assert not target.exists()
        partial.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert names(target.parent) == ["a.bin"]


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt()])
def test_a_failed_write_leaves_nothing_behind_and_what_was_there_alone(tmp_path: Path, failure: Any) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with pytest.raises(type(failure)), written_whole(target) as partial:
        partial.write_bytes(b"half")
        raise failure
    assert target.read_bytes() == b"old" and names(tmp_path) == ["a.bin"]


def test_a_new_version_replaces_the_old_one_at_once(tmp_path: Path) -> None:
    """Whoever has the old version open keeps it whole; the name stands for the new one."""
    target = tmp_path / "a.bin"
    write_bytes(target, b"old" * 1000)
    with target.open("rb") as reader:
        write_bytes(target, b"new")
        assert reader.read() == b"old" * 1000
    assert target.read_bytes() == b"new"


def test_two_writers_of_one_name_do_not_share_a_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    with written_whole(target) as one, written_whole(target) as other:
        assert one != other
        one.write_bytes(b"one")
        other.write_bytes(b"other")
    assert target.read_bytes() == b"one" and names(tmp_path) == ["a.bin"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError), written_whole(tmp_path / "a.bin"):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["-rf", "a\nb", "ünï ✓", "x" * 255, " ", "%s", "ф" * 127], ids=ascii)
def test_any_file_name_can_be_written(tmp_path: Path, name: Any) -> None:
    write_bytes(tmp_path / name, b"x")
    assert names(tmp_path) == [name]


def test_the_longest_name_of_wide_characters_can_be_written(tmp_path: Path) -> None:
    """63 characters of four bytes each are a legal name of 252 bytes."""
    name = "\N{MOVIE CAMERA}" * 63
    write_bytes(tmp_path / name, b"x")
    assert names(tmp_path) == [name]


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (errno.ENOSPC, NoSpaceError, "no_space"),
        (errno.EDQUOT, NoSpaceError, "no_space"),
        (errno.EFBIG, NoSpaceError, "no_space"),
        (errno.EACCES, WritePermissionError, "no_write_permission"),
        (errno.EPERM, WritePermissionError, "no_write_permission"),
        (errno.EROFS, WritePermissionError, "no_write_permission"),
        (errno.EIO, StorageError, "storage"),
    ],
)
def test_system_errors_get_names(code: Any, kind: Any, reason: Any) -> None:
    error = storage_error(OSError(code, os.strerror(code)), Path("/some/file"))
    assert type(error) is kind and error.reason == reason and error.transient
    assert "/some/file" in str(error) and "run again" in str(error)


def test_a_full_device_is_named() -> None:
    with pytest.raises(NoSpaceError, match="/dev/full"), naming_storage_errors(Path("/dev/full")):
        Path("/dev/full").write_bytes(b"x")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_an_error_of_the_flush_is_named_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: Any
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(storage.os, "fsync", refuse)
    expected = NoSpaceError if code == errno.ENOSPC else WritePermissionError
    with pytest.raises(expected, match=r"a\.bin"):
        write_bytes(tmp_path / "a.bin", b"x")
    assert names(tmp_path) == []


def test_the_content_is_durable_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, synced = tmp_path / "a.bin", []
    real = os.fsync

    def watch(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), target.exists()))
        real(descriptor)

    monkeypatch.setattr(storage.os, "fsync", watch)
    write_bytes(target, b"x")
    assert synced == [(False, False), (True, True)]


def test_other_exceptions_pass_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), naming_storage_errors(tmp_path):
        raise ZeroDivisionError


def test_a_folder_where_a_file_stands_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        make_private_folder(tmp_path / "file")
    with pytest.raises(StorageError):
        write_bytes(tmp_path / "file" / "a.bin", b"x")


def test_a_private_folder_is_its_owners(tmp_path: Path) -> None:
    make_private_folder(tmp_path / "private")
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700
    make_private_folder(tmp_path / "private")


def test_trees_are_removed_and_missing_ones_are_fine(tmp_path: Path) -> None:
    write_bytes(tmp_path / "tree" / "deep" / "a", b"x")
    (tmp_path / "link").symlink_to(tmp_path)
    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "tree")
    assert names(tmp_path) == ["link"]


def test_only_empty_folders_are_removed(tmp_path: Path) -> None:
    (tmp_path / "root" / "empty" / "deeper").mkdir(parents=True)
    write_bytes(tmp_path / "root" / "full" / "a", b"x")
    remove_empty_folders(tmp_path / "root")
    assert names(tmp_path / "root") == ["full"]
    (tmp_path / "root" / "full" / "a").unlink()
    remove_empty_folders(tmp_path / "root")
    assert names(tmp_path) == []


@settings(deadline=None)
@given(JSON)
def test_canonical_json_is_json(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, min_size=2))
def test_fingerprints_do_not_depend_on_the_order_of_keys(value: Any) -> None:
    assert fingerprint(dict(reversed(value.items()))) == fingerprint(value)


def test_fingerprints_are_stable_between_versions() -> None:
    """Results of earlier runs are found by these names: a change here throws the work of all users away."""
    assert canonical_json({"b": [1, 0.5, None, "ü"], "a": True}) == r'{"a":true,"b":[1,0.5,null,"\u00fc"]}'
    assert fingerprint({"a": True}) == hashlib.sha256(b'{"a":true}').hexdigest()[:16]
    assert fingerprint(["x", 1]) != fingerprint(["x", 2])


def test_json_files_are_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": "ü", "a": [1]})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": [\n    1\n  ],\n  "b": "ü"\n}\n'


def test_the_hash_of_a_file_is_that_of_its_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"content").hexdigest()


# --- of either kind ----------------------------------------------------------------------------------------


def test_whole_files_of_either_kind(place: StoragePath) -> None:
    target = place / "new" / "a.bin"
    with written_whole(target) as partial:
        assert isinstance(partial, Path)
        partial.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole" and file_sha256(target) == hashlib.sha256(b"whole").hexdigest()
    write_bytes(target, b"other")
    write_json(target.with_name("b.json"), {"ü": 1})
    assert target.read_bytes() == b"other" and json.loads(target.with_name("b.json").read_text()) == {"ü": 1}
    assert sorted(path.name for path in (place / "new").iterdir()) == ["a.bin", "b.json"]
    assert not partial.exists()


def test_a_failed_write_leaves_what_was_there_of_either_kind(place: StoragePath) -> None:
    write_bytes(place / "a", b"old")
    for write in (written_whole(place / "a"), staged(place / "a", place / "partial", "a")):
        with pytest.raises(KeyError), write as partial:
            partial.write_bytes(b"half")
            raise KeyError
        assert not partial.exists() and (place / "a").read_bytes() == b"old"


def test_what_is_staged_appears_when_it_is_moved(place: StoragePath) -> None:
    target = place / "tree" / "clip.mp4"
    with staged(target, place / "partial", "id.mp4") as partial:
        partial.write_bytes(b"checked")
        assert partial.suffix == ".mp4" and stat.S_IMODE(partial.parent.stat().st_mode) == 0o700
        assert not target.exists()
        move_into_place(partial, target)
        assert target.read_bytes() == b"checked"
    assert not partial.exists() and target.exists()


def test_what_is_not_there_is_none(place: StoragePath) -> None:
    assert read_if_there(place / "a") is None
    write_bytes(place / "a", b"")
    assert read_if_there(place / "a") == b""


def test_trees_and_files_are_removed(place: StoragePath) -> None:
    paths = [place / "t" / name for name in ("a", "b/c", "b/d/e")]
    for path in paths:
        write_bytes(path, b"x")
    write_bytes(place / "tt", b"x")
    remove_all([paths[0], place / "t" / "gone"])
    assert [path.exists() for path in paths] == [False, True, True]
    remove_tree(place / "t")
    remove_tree(place / "t")
    remove_empty_folders(place)
    assert not any(path.exists() for path in paths) and (place / "tt").exists()


def test_versions_tell_contents_apart(place: StoragePath) -> None:
    write_bytes(place / "a", b"one")
    before = version_of(place / "a")
    assert before.is_that_of(version_of(place / "a")) and before.size_bytes == 3
    write_bytes(place / "a", b"other")
    assert not before.is_that_of(version_of(place / "a"))
    with pytest.raises(FileNotFoundError):
        version_of(place / "b")


def test_a_store_s_name_of_a_version_counts_more_than_times() -> None:
    assert Version(1, 5, "x").is_that_of(Version(1, 6, "x"))
    assert not Version(1, 5, "x").is_that_of(Version(1, 5, "y")) and not Version(1, 5, "x").is_that_of(
        Version(1, 5)
    )
    assert not Version(1, 5).is_that_of(Version(1, 6))


def test_arrow_reads_either_kind(place: StoragePath) -> None:
    with written_whole(place / "t.parquet") as partial:
        pq.write_table(pa.table({"x": [1, 2]}), partial)
    assert pq.read_table(arrow_source(place / "t.parquet"))["x"].to_pylist() == [1, 2]


def test_one_file_is_one_through_links(place: StoragePath, tmp_path: Path) -> None:
    write_bytes(place / "a", b"x")
    write_bytes(place / "b", b"x")
    assert same_file(place / "a", place / "a") and not same_file(place / "a", place / "b")
    (tmp_path / "there").touch()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert same_file(tmp_path / "there", tmp_path / "link")


def test_addresses_and_paths_are_located(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access()
    monkeypatch.chdir(tmp_path)
    assert (
        located("a/b", access) == tmp_path / "a" / "b" and located("b", access, tmp_path / "a") == tmp_path / "a/b"
    )
    assert located("file:///x%20y", access) == Path("/x y") and located("/x://y", access) == Path("/x:/y")
    remote = located("s3://b/k", access)
    assert isinstance(remote, RemotePath) and str(located("x.mp4", access, remote)) == "s3://b/k/x.mp4"
    assert located("/x", access, remote) == Path("/x") and str(located("gs://c/x", access, remote)) == "gs://c/x"
    with pytest.raises(ConfigError):
        located("ftp://h/x", access)


def test_a_missing_bucket_and_a_read_only_address_are_named() -> None:
    path = located("s3://b/k", Access())
    assert isinstance(storage_error(FileNotFoundError(2, "x"), path), StorageMissingError)
    require_writable(path)
    with pytest.raises(ConfigError, match="HTTP"):
        require_writable(located("http://h/x", Access()))


def test_a_name_that_is_taken_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "claim.json"
    assert create_exclusive(path, b"first") and not create_exclusive(path, b"second")
    assert path.read_bytes() == b"first" and [p.name for p in path.parent.iterdir()] == ["claim.json"]
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        create_exclusive(tmp_path / "file" / "claim.json", b"")


def test_private_json_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    write_private_json(tmp_path / "a.json", {"ü": 1})
    write_private_json(tmp_path / "a.json", {"ü": 2})
    assert json.loads((tmp_path / "a.json").read_text()) == {"ü": 2}
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o600
