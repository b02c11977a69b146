from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from anonflow.errors import ConfigError
from anonflow.remote.access import Access
from anonflow.remote.address import is_remote
from anonflow.remote.path import RemotePath


def of(uri: Any) -> Any:
    return RemotePath.of(uri, Access())


def test_addresses_are_told_from_paths() -> None:
    assert is_remote("s3://b/k") and is_remote("HTTPS://h/x") and is_remote("what://x")
    assert not any(is_remote(uri) for uri in ("/a/b://c", "file:///a", "file:/a", "a b/c://d", "./s3:/x", "c:x"))


def test_names_are_those_of_pathlib() -> None:
    path = of("s3://b/a/clip.tar.mp4")
    assert (path.name, path.stem, path.suffix) == ("clip.tar.mp4", "clip.tar", ".mp4")
    assert str(path.parent) == "s3://b/a" and str(path.parent.parent) == "s3://b" == str(of("s3://b").parent)
    assert str(path.with_name("x")) == "s3://b/a/x" and str(path.with_suffix(".nut")) == "s3://b/a/clip.tar.nut"
    assert path.relative_to(of("s3://b")).as_posix() == "a/clip.tar.mp4"
    assert path.is_relative_to(of("s3://b/a")) and not path.is_relative_to(of("s3://b/a/cl"))
    assert not path.is_relative_to(of("s3://c/a")) and not path.is_relative_to(Path("/b/a"))
    assert str(of("s3://b") / "a" / "b") == str(of("s3://b/").joinpath("a", "b")) == "s3://b/a/b"
    with pytest.raises(ValueError, match="not below"):
        path.relative_to(of("s3://b/x"))


def test_paths_are_values_whatever_their_access() -> None:
    one, other = of("s3://b/k"), RemotePath.of("s3://b/k", Access(retry_s=1))
    assert one == other and hash(one) == hash(other) and one != of("gs://b/k")
    assert pickle.loads(pickle.dumps(one)) == one
    assert sorted([of("s3://b/2"), of("s3://b/1")])[0].key == "1"


def test_a_signature_is_in_the_address_and_in_no_message() -> None:
    path = of("https://host:8/dir/my%20clip.mp4?X-Signature=secret")
    assert path.name == "my clip.mp4" and path.suffix == ".mp4"
    assert "secret" in path.uri and "secret" not in str(path)


@pytest.mark.parametrize("uri", ["ftp://h/x", "s3://", "s3:///k", "http://me:pw@host/x"])
def test_addresses_that_mean_nothing_are_refused(uri: Any) -> None:
    with pytest.raises(ConfigError):
        of(uri)


def test_no_password_is_repeated_in_an_error() -> None:
    with pytest.raises(ConfigError) as raised:
        of("http://me:pw@host/x")
    assert "pw@" not in str(raised.value)


def test_azure_addresses_name_their_account() -> None:
    path = of("abfs://box@store.dfs.core.windows.net/a/b")
    assert (path.place, path.account) == ("box/a/b", {"account_name": "store"})
    assert of("az://box/a").account == {}
