from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from anonflow.config import ModelConfig
from anonflow.detect import models
from anonflow.detect.models import ModelStore, file_name
from anonflow.errors import ModelError, ModelHashError, WritePermissionError

WEIGHTS = b"the weights"
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
WHEEL_URI = "pypi:some-wheel==1.0/folder/net.onnx"


def model(**changes: Any) -> ModelConfig:
    values: dict[str, Any] = {
        "id": "tiny",
        "uri": WHEEL_URI,
        "sha256": SHA256,
        "licence": "MIT",
        "origin": "here",
        "family": "yunet",
        "classes": {0: "face"},
        "decoder": {},
    }
    return ModelConfig(**{**values, **changes})


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was fetched, from a remote that always has the weights."""
    asked: list[str] = []

    def answer(uri: str) -> bytes:
        asked.append(uri)
        return WEIGHTS

    monkeypatch.setattr(models, "fetch", answer)
    return asked


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(uri: str) -> bytes:
        raise ModelError("the network is unreachable")

    monkeypatch.setattr(models, "fetch", fail)


def test_what_was_fetched_is_not_fetched_again(tmp_path: Path, remote: list[str]) -> None:
    store = ModelStore(tmp_path / "cache")
    assert store.load(model()) == store.load(model()) == WEIGHTS
    assert remote == [WHEEL_URI]


def test_a_filled_cache_works_offline(tmp_path: Path, offline: None) -> None:
    (tmp_path / f"{SHA256}.onnx").write_bytes(WEIGHTS)
    assert ModelStore(tmp_path).load(model()) == WEIGHTS


@pytest.mark.parametrize("name", ["net.onnx", "tiny.onnx", f"{SHA256}.onnx"])
def test_a_users_folder_comes_first(tmp_path: Path, offline: None, name: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_bytes(WEIGHTS)
    store = ModelStore(tmp_path / "cache", [tmp_path / "empty", tmp_path / "mine"])
    assert store.resolve(model()) == tmp_path / "mine" / name
    assert store.load(model()) == WEIGHTS
    assert not (tmp_path / "cache").exists()


def test_a_wrong_file_in_a_users_folder_is_an_error_even_with_a_good_cache(
    tmp_path: Path, remote: list[str]
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"another model")
    store = ModelStore(tmp_path / "cache", [tmp_path])
    with pytest.raises(ModelHashError, match=r"tiny.*net\.onnx.*replace or remove"):
        store.load(model())
    assert remote == []


def test_a_damaged_cache_is_an_error_that_names_the_file(tmp_path: Path, remote: list[str]) -> None:
    store = ModelStore(tmp_path)
    store.load(model())
    cached = tmp_path / f"{SHA256}.onnx"
    cached.write_bytes(WEIGHTS[:-1])
    with pytest.raises(ModelHashError) as raised:
        store.load(model())
    assert str(cached) in str(raised.value)


def test_what_the_uri_gives_is_checked_before_it_is_kept(tmp_path: Path, remote: list[str]) -> None:
    with pytest.raises(ModelHashError, match=r"correct model\.uri or model\.sha256"):
        ModelStore(tmp_path).load(model(sha256="0" * 64))
    assert list(tmp_path.iterdir()) == []


def test_hashes_are_compared_without_regard_to_case(tmp_path: Path, remote: list[str]) -> None:
    assert ModelStore(tmp_path).load(model(sha256=SHA256.upper())) == WEIGHTS


def test_offline_the_message_says_which_file_to_put_where(tmp_path: Path, offline: None) -> None:
    with pytest.raises(ModelError, match=r"tiny.*unreachable.*net\.onnx.*runtime\.model_dirs") as raised:
        ModelStore(tmp_path).load(model())
    assert SHA256 in str(raised.value)


def test_a_local_file_is_not_copied_to_the_cache(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(WEIGHTS)
    assert ModelStore(tmp_path / "cache").load(model(uri=f"file:{tmp_path}/net.onnx")) == WEIGHTS
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (WHEEL_URI, "net.onnx"),
        ("https://host/a/net.onnx", "net.onnx"),
        ("file:net.onnx", "net.onnx"),
        ("pypi:a==1/b/weights.py#WEIGHTS", "tiny.onnx"),
    ],
)
def test_the_file_name_that_a_folder_is_searched_for(uri: str, expected: str) -> None:
    assert file_name(model(uri=uri)) == expected


def test_many_may_fill_one_cache_at_once(tmp_path: Path, remote: list[str]) -> None:
    store = ModelStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(store.load, [model()] * 16)) == {WEIGHTS}
    assert [path.name for path in tmp_path.iterdir()] == [f"{SHA256}.onnx"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, remote: list[str]) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WritePermissionError):
        ModelStore(tmp_path).load(model())
