from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from anonflow import claims
from anonflow.claims import all_there, claim, count_up, forget_count, require_exclusive
from anonflow.errors import ConfigError
from anonflow.remote.path import RemotePath
from anonflow.storage import StoragePath, write_bytes
from tests.stores import Bucket, proxied


def test_the_first_claim_holds(place: StoragePath) -> None:
    assert claim(place / "c", b"1") == claim(place / "c", b"2") == claim(place / "c", b"1") == b"1"
    assert [path.name for path in place.iterdir()] == ["c"]


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_of_many_at_once_one_wins(bucket: Bucket, tmp_path: Path, kind: Any) -> None:
    folder = tmp_path if kind == "local" else bucket.path("f", retry_s=30.0)
    start = threading.Barrier(6)

    def rush(number: int) -> bytes:
        start.wait()
        return claim(folder / "c", str(number).encode())

    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(rush, range(6)))
    assert answers == {(folder / "c").read_bytes()}


def test_counts_go_up_and_begin_anew(place: StoragePath) -> None:
    assert [count_up(place / "n") for _ in range(3)] == [1, 2, 3]
    assert count_up(place / "other") == 1
    forget_count(place / "n")
    assert count_up(place / "n") == 1 and count_up(place / "other") == 2


def test_an_attempt_whose_answer_was_lost_counts_once(bucket: Bucket) -> None:
    with proxied(bucket.endpoint, lost_answers=1) as proxy:
        path = Bucket(bucket.name, proxy.endpoint).path("n", retry_s=60.0)
        assert [count_up(path), count_up(path)] == [1, 2]


def test_a_folder_is_complete_when_one_of_each_pair_is_there(place: StoragePath) -> None:
    pairs = [(place / f"{n}.npz", place / f"{n}.failed") for n in range(3)]
    assert not all_there(pairs) and all_there([])
    for path in (pairs[0][0], pairs[1][1]):
        write_bytes(path, b"")
    assert not all_there(pairs)
    write_bytes(pairs[2][0], b"")
    assert all_there(pairs)


def test_a_store_that_keeps_the_condition_passes(bucket: Bucket, tmp_path: Path) -> None:
    require_exclusive(bucket.path("f"), 5)
    require_exclusive(tmp_path, 5)
    assert bucket.keys() == []


def test_a_store_that_ignores_the_condition_is_refused(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    def heedless(path: RemotePath, content: bytes) -> None:
        path.write_bytes(content)

    monkeypatch.setattr(claims.RemotePath, "create", heedless)
    with pytest.raises(ConfigError, match="If-None-Match"):
        require_exclusive(bucket.path("f"), 5)


def test_a_place_that_cannot_be_written_is_named(bucket: Bucket) -> None:
    with pytest.raises(ConfigError, match="no such bucket"):
        require_exclusive(RemotePath.of("s3://none-such-bucket/x", bucket.access()), 5)
