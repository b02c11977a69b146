from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from anonflow.pipeline.places import harmless, kind_of_name, relative_paths
from anonflow.remote.access import Access
from anonflow.storage import located


def below(*uris: str) -> list[str]:
    return [relative for _, relative in relative_paths([located(uri, Access()) for uri in uris])]


def test_what_all_have_in_common_is_left_out() -> None:
    assert below("/a/b/c.mp4", "/a/d.mp4") == ["b/c.mp4", "d.mp4"]
    assert below("s3://b/a/b/c.mp4", "s3://b/a/d.mp4") == ["b/c.mp4", "d.mp4"]
    assert below("s3://b/c.mp4") == ["c.mp4"] == below("/x/c.mp4") and below() == []


def test_several_stores_are_kept_apart() -> None:
    assert below("s3://b/a.mp4", "s3://c/a.mp4") == ["b/a.mp4", "c/a.mp4"]
    assert below("s3://b/a.mp4", "gs://b/a.mp4") == ["s3/b/a.mp4", "gs/b/a.mp4"]
    assert below("s3://b/a.mp4", "/b/a.mp4") == ["s3/b/a.mp4", "file/b/a.mp4"]


@pytest.mark.parametrize("key", ["../x.mp4", "a/../../../etc/x", "a//b", "./a", "a/.", "..", "a/..", "\0"])
def test_no_key_leaves_the_folder_that_it_is_put_into(key: Any, tmp_path: Path) -> None:
    made = (tmp_path / harmless(key)).resolve()
    assert made.is_relative_to(tmp_path) and made != tmp_path
    assert harmless(key) != harmless("a/b")


def test_usual_keys_stay_what_they_are() -> None:
    for key in ("a/b.mp4", "...", "a..b/.hidden", "ü ✓"):
        assert harmless(key) == key


def test_kinds_of_files_say_no_more_than_that() -> None:
    names = {"a.TXT": ".txt", "a": "(none)", "a.john smith": "(other)", "a.verylongone": "(other)"}
    assert {name: kind_of_name(name) for name in names} == names
