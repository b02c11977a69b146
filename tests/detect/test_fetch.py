from __future__ import annotations

import importlib.util
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from anonflow.detect import fetch as fetch_module
from anonflow.detect.fetch import bytes_literal, fetch, fetch_pypi_file
from anonflow.errors import ModelError

MODULE = b"import nothing_that_exists\nOTHER = b'no'\nWEIGHTS = b'\\x00\\xffmodel'\nNUMBER = 3\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index in a folder, holding one wheel that must never be installed or imported."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny/net.onnx", b"a network")
        wheel.writestr("tiny/weights.py", MODULE)
        wheel.writestr(
            "tiny_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        )
        wheel.writestr("tiny_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_file_out_of_a_wheel(index: Path) -> None:
    assert fetch("pypi:tiny-weights==1.0/tiny/net.onnx") == b"a network"
    assert fetch_pypi_file("tiny-weights", "1.0", "tiny/net.onnx") == b"a network"


def test_a_bytes_literal_out_of_a_module_in_a_wheel(index: Path) -> None:
    assert fetch("pypi:tiny-weights==1.0/tiny/weights.py#WEIGHTS") == b"\x00\xffmodel"
    assert "tiny" not in sys.modules


def test_a_version_that_does_not_exist(index: Path) -> None:
    with pytest.raises(ModelError, match=r"pip could not download tiny-weights==2\.0: No matching distribution"):
        fetch("pypi:tiny-weights==2.0/tiny/net.onnx")


def test_a_file_that_is_not_in_the_wheel(index: Path) -> None:
    with pytest.raises(ModelError, match=r"tiny-weights==1\.0 has no file tiny/other\.onnx"):
        fetch("pypi:tiny-weights==1.0/tiny/other.onnx")


def test_nothing_of_a_wheel_stays_behind(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    fetch("pypi:tiny-weights==1.0/tiny/net.onnx")
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_an_environment_without_pip_borrows_one(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert fetch("pypi:tiny-weights==1.0/tiny/net.onnx") == b"a network"


def test_an_environment_that_cannot_have_pip_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda command, **rest: subprocess.CompletedProcess(command, 1))
    with pytest.raises(ModelError, match="uv pip install pip"):
        fetch("pypi:tiny-weights==1.0/tiny/net.onnx")


def test_a_download_that_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **rest: Any) -> None:
        raise subprocess.TimeoutExpired(command, rest["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(ModelError, match=r"did not download tiny-weights==1\.0 within"):
        fetch("pypi:tiny-weights==1.0/tiny/net.onnx")


@pytest.mark.parametrize("name", ["MISSING", "NUMBER"])
def test_a_literal_that_is_not_there(name: str) -> None:
    with pytest.raises(ModelError, match=f"no bytes literal named {name}"):
        bytes_literal(MODULE, name)


def test_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.onnx").write_bytes(b"here")
    monkeypatch.chdir(tmp_path)
    assert (
        fetch("file:net.onnx")
        == fetch(f"file:{tmp_path}/net.onnx")
        == fetch(f"file://{tmp_path}/net.onnx")
        == b"here"
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        fetch(f"file:{tmp_path}/none.onnx")


def test_https(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: BytesIO(url.encode()))
    assert fetch("https://models.example/net.onnx") == b"https://models.example/net.onnx"


def test_https_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(url: str, timeout: float) -> None:
        raise urllib.error.HTTPError(url, 404, "Not Found", None, None)  # type: ignore[arg-type]  # no headers needed

    monkeypatch.setattr(urllib.request, "urlopen", fail)
    with pytest.raises(ModelError, match=r"net\.onnx cannot be downloaded .*404"):
        fetch("https://models.example/net.onnx")


@pytest.mark.parametrize("uri", ["ftp://host/x", "http://host/x", "net.onnx", "pypi:name/path", "pypi:n==1", ""])
def test_other_uris_are_told_what_to_be(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "_download_wheel", lambda *_: pytest.fail("nothing may be downloaded"))
    with pytest.raises(ModelError, match="use file:PATH"):
        fetch(uri)
