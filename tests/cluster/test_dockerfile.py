"""The container image: what it copies is there, what it installs is pinned, and it does not run as root."""

from __future__ import annotations

import fnmatch
import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import anonflow
from cluster.fetch_models import fetch
from tests.cluster.files import CLUSTER, ROOT, pinned, program

DOCKERFILE = CLUSTER / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile with their arguments, continued lines joined."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest) for word, _, rest in (line.strip().partition(" ") for line in text.splitlines()) if word]


def of(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


def test_it_passes_the_linter() -> None:
    done = subprocess.run([program("hadolint"), DOCKERFILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_copied_is_there_and_not_ignored() -> None:
    copied = [part for rest in of("COPY") if "--from" not in rest for part in rest.split()[:-1]]
    assert {"pyproject.toml", "constraints.txt", "anonflow", "conf", "jobs"} <= set(copied)
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines, "what is not named stays outside"
    for name in copied:
        assert (ROOT / name).exists(), name
        assert any(fnmatch.fnmatch(name, pattern) for pattern in kept), f"{name} is ignored"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {folder.split("/")[0] for folder in project["tool"]["setuptools"]["package-dir"].values()}
    assert needed | {project["project"]["readme"], *project["project"]["license-files"]} <= set(copied)


def test_base_and_packages_are_pinned() -> None:
    (base,) = [rest.removeprefix("BASE=") for rest in of("ARG") if rest.startswith("BASE=")]
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    stages = {rest.split(" AS ")[1]: rest.split(" AS ")[0] for rest in of("FROM")}
    assert {"cpu", "cuda"} <= stages.keys()
    assert set(stages.values()) <= {"${BASE}", *stages}, "no other base"
    installs = [rest for rest in of("RUN") if "pip install" in rest]
    assert installs and all("--constraint constraints.txt" in rest for rest in installs)


def test_the_libraries_of_cuda_are_pinned_beside_the_version_that_wants_them() -> None:
    lines = [line for line in (CLUSTER / "constraints-cuda.txt").read_text().splitlines() if line[0] != "#"]
    assert all(re.fullmatch(r"nvidia-[\w-]+==[\d.]+", line) for line in lines)
    names = {line.split("==")[0].split("-cu1")[0] for line in lines}
    assert {"nvidia-cublas", "nvidia-cudnn", "nvidia-cufft", "nvidia-cuda-runtime"} <= names
    assert "onnxruntime-gpu" in pinned()


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_the_images_do_not_run_as_root(target: str) -> None:
    user, stage, users = "", "", {}
    for word, rest in instructions():
        if word == "FROM":
            base, stage = rest.split(" AS ")
            user = users.get(base, "")
        elif word == "USER":
            user = rest
        users[stage] = user
    assert users[target] == "1000:1000"


def test_versions_and_authentication_stand_in_the_image() -> None:
    labels, environment = " ".join(of("LABEL")), " ".join(of("ENV"))
    assert f'version="{anonflow.__version__}"' in labels and "GPL-2.0-or-later" in labels
    assert "RAY_AUTH_MODE=token" in environment
    assert "HOME=/home/anonflow" in environment, "`ray up` takes it for /root otherwise, and mounts the token there"
    assert of("ENTRYPOINT") == ['["tini", "--", "anonflow"]']


def test_models_are_fetched_once_and_found_by_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = b"weights"
    (tmp_path / "w.onnx").write_bytes(weights)
    monkeypatch.setattr("anonflow.detect.models.fetch", lambda _: weights)
    digest = hashlib.sha256(weights).hexdigest()
    given = ["detector=faces", f"detector.face.model.sha256={digest}"]
    assert len(fetch(tmp_path / "models", given)) == 1
    assert [path.name for path in (tmp_path / "models").iterdir()] == [f"{digest}.onnx"]


def test_the_script_is_called_as_in_the_image(tmp_path: Path) -> None:
    """With a wrong hash it fails, so an image with the wrong weights is never made."""
    given = ["detector=faces", "detector.face.model.uri=file:/nowhere.onnx"]
    done = subprocess.run(
        [sys.executable, "cluster/fetch_models.py", tmp_path, *given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0 and "nowhere.onnx" in done.stderr
