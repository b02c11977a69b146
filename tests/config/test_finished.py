from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_module

from anonflow.config.finished import FinishedConfig
from anonflow.errors import ConfigError
from anonflow.jobs.clean import CleanConfig
from anonflow.jobs.launch import typed
from anonflow.jobs.retry import RetryConfig
from anonflow.jobs.status import StatusConfig
from anonflow.jobs.verify import VerifyConfig
from anonflow.remote.path import RemotePath

COMMANDS = {"status": StatusConfig, "verify": VerifyConfig, "clean": CleanConfig, "retry": RetryConfig}


def composed(name: Any, *overrides: str) -> FinishedConfig:
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        return typed(compose(name, overrides=list(overrides)), COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_an_output_in_a_store_is_reached_as_its_run_reached_it(name: str) -> None:
    config = composed(name, "output=s3://bucket/out", "storage_options.s3={endpoint_url:'http://x'}")
    assert isinstance(config.folder, RemotePath) and str(config.folder) == "s3://bucket/out"
    assert config.folder.access.options == {"s3": {"endpoint_url": "http://x"}}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_local_output_needs_nothing(name: str, tmp_path: Path) -> None:
    assert composed(name, f"output={tmp_path}").folder == tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_credentials_on_the_command_line_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="credentials"):
        composed(name, "output=s3://bucket/out", "storage_options.s3={secret:x}")
