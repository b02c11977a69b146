"""Every command line in the recipes is one that the programs take, and no recipe holds a secret."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator

import click
import pytest
from hydra import compose, initialize_config_module
from ray.scripts.scripts import cli

from anonflow.config import AnonymizeConfig
from anonflow.jobs.launch import typed
from tests.cluster.files import CLUSTER, ROOT, document, program, recipes

SECRETS = {
    "a key of AWS": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "a token or password": r"(?i)\b\w*(token|password|secret_access_key)\b['\"]?\s*[=:]\s*['\"]?[\w+/-]{16,}",
    "a web token": r"\beyJ[\w-]{20,}",
}
RUN = re.compile(r"""(?:anonflow|-cpu)\s+anonymize ((?:[^\s'"&>]+|'[^'\n]*'|"[^"\n]*"|[ "])+)""")
RAY = re.compile(r"(?:^|[\s`;-])ray ([a-z-]+[^\n`;>|&]*)")


def text_of(name: str) -> str:
    return (CLUSTER / name).read_text().replace("\\\n", " ")


def anonymize_lines() -> Iterator[tuple[str, list[str]]]:
    """Where it stands, and the overrides of each `anonflow anonymize`."""
    for name, job in (("kuberay/rayjob.yaml", ()), ("kuberay/raycronjob.yaml", ("jobTemplate",))):
        spec = document(name)["spec"]
        for key in job:
            spec = spec[key]
        yield name, shlex.split(spec["entrypoint"])[2:]
    pod = document("kuberay/cronjob.yaml")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    yield "kuberay/cronjob.yaml", pod["containers"][0]["args"][1:]
    for name in ("systemd/anonflow.service", "slurm.sbatch", "README.md"):
        for words in map(shlex.split, RUN.findall(text_of(name))):
            yield name, [word for word in words if word != "$@" and not word.startswith("--")]


def ray_lines() -> Iterator[tuple[str, list[str]]]:
    """Where it stands, and the words of each `ray start`, `ray up`, ... up to the next command of the shell."""
    for path in recipes():
        if path.suffix in (".yaml", ".sbatch", ".md", ".service"):
            for found in RAY.findall(text_of(str(path.relative_to(CLUSTER)))):
                words = shlex.split(found.replace("'", ""))
                if words and words[0] in cli.commands:
                    yield path.name, words


@pytest.mark.parametrize(("name", "overrides"), list(anonymize_lines()))
def test_what_is_given_to_anonymize_is_configuration(name: str, overrides: list[str]) -> None:
    given = {override.partition("=")[0] for override in overrides}
    missing = [f"{key}=unused" for key in ("input", "output") if key not in given]
    filled = [re.sub(r"\$\{?\w+\}?", "somewhere", override) for override in [*overrides, *missing]]
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        typed(compose("anonymize", overrides=filled), AnonymizeConfig)


def test_every_recipe_has_its_command() -> None:
    assert {name for name, _ in anonymize_lines()} == {
        "kuberay/rayjob.yaml",
        "kuberay/raycronjob.yaml",
        "kuberay/cronjob.yaml",
        "systemd/anonflow.service",
        "slurm.sbatch",
        "README.md",
    }


@pytest.mark.parametrize(("name", "words"), list(ray_lines()))
def test_what_is_given_to_ray_are_its_options(name: str, words: list[str]) -> None:
    command = cli.commands[words[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    if isinstance(command, click.Group):
        assert words[1] in command.commands
        return
    given = {word.partition("=")[0] for word in words[1:] if word.startswith("--") and word != "--"}
    assert given <= known, f"{name}: ray {words[0]} has no {given - known}"


def test_ray_is_started_by_each_kind_of_recipe() -> None:
    started = {name for name, words in ray_lines() if words[0] == "start"}
    assert {"ray-cluster.yaml", "ray-cluster-aws.yaml", "slurm.sbatch"} <= started


@pytest.mark.parametrize("path", recipes(), ids=lambda path: path.name)
def test_no_secret_and_nothing_unpinned(path: object) -> None:
    text = (CLUSTER / str(path)).read_text()
    for what, pattern in SECRETS.items():
        assert not re.search(pattern, text), what
    assert ":latest" not in text and "RAY_AUTH_MODE=disabled" not in text
    assert "0.0.0.0" not in text or "KubeRay" in text


@pytest.mark.parametrize(
    "secret", ["AKIAABCDEFGHIJKLMNOP", "RAY_AUTH_TOKEN=0123456789abcdef0123", "password: hunter2hunter2hunter2"]
)
def test_a_secret_would_be_found(secret: str) -> None:
    assert any(re.search(pattern, secret) for pattern in SECRETS.values())


def test_the_slurm_script_passes_the_linter() -> None:
    script = str(CLUSTER / "slurm.sbatch")
    done = subprocess.run([program("shellcheck"), script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    subprocess.run(["bash", "-n", script], check=True)


def test_the_units_name_each_other() -> None:
    timer, service = text_of("systemd/anonflow.timer"), text_of("systemd/anonflow.service")
    assert "Unit=anonflow.service" in timer and "Persistent=true" in timer
    assert "KillMode=mixed" in service and "User=anonflow" in service and "NoNewPrivileges=yes" in service


def test_the_readme_names_every_recipe() -> None:
    readme = text_of("README.md")
    for path in recipes():
        if path.suffix in (".yaml", ".sbatch", ".service", ".timer") or path.name == "Dockerfile":
            name = path.relative_to(CLUSTER).as_posix()
            assert name in readme or path.name in readme, name
    assert (ROOT / ".dockerignore").exists()
