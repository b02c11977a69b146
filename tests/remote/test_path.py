from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from anonflow.errors import StorageUnavailableError
from anonflow.remote.path import RemotePath
from tests.stores import Bucket, proxied

KEYS = [
    "a/b.mp4",
    "a/x::y.mp4",
    "a/#1?.mp4",
    "a/[z] *.mp4",
    "a/ü ✓ .mp4",
    "a/100%25 b.mp4",
    "a/s3:/c.mp4",
    "ab.mp4",
]


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_taken_to_the_letter(bucket: Bucket, key: Any) -> None:
    content = key.encode()
    bucket.path(key).write_bytes(content)
    assert bucket.keys() == [key] and bucket.get(key) == content
    assert bucket.path(key).read_bytes() == content and bucket.path(key).stat().st_size == len(content)
    assert list(bucket.path().found_below()) == [bucket.path(key)]
    with bucket.path(key).open("rb") as file:
        assert file.read() == content
    bucket.path(key).unlink()
    assert bucket.keys() == []


def test_what_is_there_and_what_is_not(bucket: Bucket) -> None:
    bucket.put("a/b.txt", b"xyz")
    there, folder, nothing = bucket.path("a/b.txt"), bucket.path("a"), bucket.path("a/b")
    assert there.exists() and there.is_file() and not there.is_dir()
    assert folder.exists() and folder.is_dir() and not folder.is_file()
    assert not nothing.exists() and not nothing.is_file() and not nothing.is_dir()
    for call in (nothing.stat, nothing.read_bytes, lambda: nothing.open("rb")):
        with pytest.raises(FileNotFoundError):
            call()
    nothing.unlink(missing_ok=True)
    assert there.read_text() == "xyz" and there.open().read() == "xyz"


def test_listings_see_what_others_did_meanwhile(bucket: Bucket) -> None:
    path = bucket.path("f")
    assert list(path.iterdir()) == []
    bucket.put("f/1", b"")
    bucket.put("f/sub/2", b"")
    bucket.put("f.other", b"")
    assert [p.name for p in path.iterdir()] == ["1", "sub"]
    bucket.client.delete_object(Bucket=bucket.name, Key="f/1")
    assert [p.name for p in path.iterdir()] == ["sub"]


def test_globs_are_those_of_pathlib(bucket: Bucket, tmp_path: Path) -> None:
    names = ["a.mp4", "b.mkv", "s/a.mp4", "s/t/a.mp4", "s/t/b.txt", "x[1].mp4"]
    for name in names:
        bucket.put(f"root/{name}", b"")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for pattern in ("*.mp4", "**/*.mp4", "s/*", "s/**/*.mp4", "?.m*", "[ab].*", "a.mp4", "**/b.*", "none*"):
        local = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.glob(pattern) if p.is_file())
        remote = [p.relative_to(bucket.path("root")).as_posix() for p in bucket.path("root").glob(pattern)]
        assert remote == local, pattern


def test_only_the_first_creates(bucket: Bucket) -> None:
    bucket.path("c").create(b"1")
    with pytest.raises(FileExistsError):
        bucket.path("c").create(b"2")
    assert bucket.get("c") == b"1"


def test_uploads_are_whole_and_replace(bucket: Bucket, tmp_path: Path) -> None:
    for content in (b"", b"abc", bytes(range(256)) * 150_000):  # the last one in parts
        (tmp_path / "f").write_bytes(content)
        bucket.path("up").upload(tmp_path / "f")
        assert hashlib.sha256(bucket.get("up")).digest() == hashlib.sha256(content).digest()


def test_nothing_is_written_through_open(bucket: Bucket) -> None:
    with pytest.raises(io.UnsupportedOperation):
        bucket.path("x").open("wb")


def test_a_read_asks_for_the_range_it_needs(bucket: Bucket) -> None:
    content = bytes(range(256)) * 4096
    bucket.put("big", content)
    with proxied(bucket.endpoint) as proxy:
        through = Bucket(bucket.name, proxy.endpoint).path("big", block_bytes=16384)
        with through.open("rb") as file:
            file.seek(500_000)
            assert file.read(100) == content[500_000:500_100]
        assert proxy.read_bytes["big"] == 16384


def test_denied_and_missing_are_what_they_are_for_local_files(bucket: Bucket) -> None:
    nowhere = RemotePath.of("s3://no-such-bucket-here/x", bucket.access())
    with pytest.raises(FileNotFoundError):
        nowhere.write_bytes(b"")
    with pytest.raises(FileNotFoundError):
        nowhere.read_bytes()


@pytest.mark.parametrize("fault", ["error_share", "reset_share"])
def test_requests_are_repeated_until_they_succeed(bucket: Bucket, fault: Any) -> None:
    with proxied(bucket.endpoint, **{fault: 0.4}) as proxy:
        through = Bucket(bucket.name, proxy.endpoint)
        for number in range(6):
            path = through.path(f"{number}", retry_s=60.0)
            path.write_bytes(b"x" * 1000)
            assert path.read_bytes() == b"x" * 1000
        assert proxy.faults > 0


def test_a_store_that_stays_away_is_named(bucket: Bucket) -> None:
    with proxied(bucket.endpoint) as proxy:
        proxy.stop()
        with pytest.raises(StorageUnavailableError) as raised:
            Bucket(bucket.name, proxy.endpoint).path("x", retry_s=0.5).read_bytes()
    assert raised.value.transient and "s3://" in str(raised.value)


def test_a_created_object_whose_answer_was_lost_is_found_again(bucket: Bucket) -> None:
    with proxied(bucket.endpoint, lost_answers=1) as proxy:
        path = Bucket(bucket.name, proxy.endpoint).path("c", retry_s=60.0)
        with pytest.raises(FileExistsError):
            path.create(b"mine")
    assert bucket.get("c") == b"mine"
