"""The cluster files for `ray up`: valid, with a token, without an open dashboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray
from ray.autoscaler._private.util import prepare_config, validate_config

import anonflow
from tests.cluster.files import IMAGE, document

FILES = ["ray-cluster.yaml", "ray-cluster-aws.yaml"]


@pytest.mark.parametrize("name", FILES)
def test_ray_takes_the_file(name: str) -> None:
    config = document(name)
    jsonschema.validate(config, json.loads(Path(ray.__path__[0], "autoscaler", "ray-schema.json").read_text()))
    complete: dict[str, Any] = prepare_config(config)
    validate_config(complete)
    assert complete["max_workers"] >= 1


@pytest.mark.parametrize("name", FILES)
def test_the_image_is_pinned_and_has_no_more_rights_than_it_needs(name: str) -> None:
    docker = document(name)["docker"]
    assert IMAGE.match(docker["image"]) and f":{anonflow.__version__}-" in docker["image"]
    assert {"--cap-drop=ALL", "--security-opt=no-new-privileges"} <= set(docker["run_options"])
    assert "--privileged" not in docker["run_options"]


@pytest.mark.parametrize("name", FILES)
def test_a_token_is_asked_for_and_is_no_part_of_the_file(name: str) -> None:
    config = document(name)
    assert "--env=RAY_AUTH_MODE=token" in config["docker"]["run_options"]
    assert config["file_mounts"] == {"~/.ray/auth_token": "~/.ray/auth_token"}


@pytest.mark.parametrize("name", FILES)
def test_the_dashboard_listens_on_the_head_alone(name: str) -> None:
    (start,) = [line for line in document(name)["head_start_ray_commands"] if "ray start" in line]
    assert "--dashboard-host=127.0.0.1" in start and "--autoscaling-config=" in start
