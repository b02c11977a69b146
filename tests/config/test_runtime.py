from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import ConfigError
from anonflow.pipeline.sources import list_sources
from tests.pipeline.worlds import configuration


@pytest.mark.parametrize(
    "override",
    [
        "chunk.length_s=0",
        "chunk.length_s=nan",
        "chunk.length_s=inf",
        "chunk.overlap_frames=-1",
        "runtime.provider=tpu",
        "runtime.object_store_mb=10",
        "runtime.max_attempts=0",
        "runtime.chunk_timeout_s=0",
        "runtime.chunk_timeout_s=inf",
        "runtime.stall_timeout_s=9",
        "runtime.stall_timeout_s=inf",
        "runtime.stall_timeout_s=nan",
        "runtime.metrics_port=0",
        "runtime.metrics_port=65536",
        "runtime.log_format=xml",
        "runtime.storage_retry_s=-1",
        "runtime.storage_block_kb=1",
        "runtime.storage_cache_mb=1",
        "runtime.scratch_max_mb=0",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(override: str) -> None:
    with pytest.raises(ConfigError) as raised:
        configuration(override)
    assert override.lstrip("~").split("=")[0].split(".")[-1] in str(raised.value)


@pytest.mark.parametrize(
    "override",
    [
        "runtime.mask.num_cpus=-1",
        "runtime.mask.memory_mb=-1",
        "runtime.mask.max_workers=0",
        "runtime.detect.max_workers=-1",
        "runtime.detect.num_gpus=-1",
        "runtime.logical_cpus_per_core=-1",
    ],
)
def test_resources_that_ray_cannot_give_are_refused(override: str) -> None:
    with pytest.raises(ConfigError):
        configuration(override)


@pytest.mark.parametrize("extension", [".mp4", "MP4", "mp4"])
def test_extensions_are_understood_as_people_write_them(extension: str, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    config = configuration(f"source.extensions=['{extension}']").source
    assert len(list_sources(str(tmp_path), tmp_path / "out", config).sources) == 1


def test_a_metrics_port_is_for_the_embedded_ray_only() -> None:
    """On a cluster it would be ignored."""
    with pytest.raises(ConfigError, match="metrics-export-port"):
        configuration("runtime.metrics_port=8080", "runtime.address=auto")


def test_how_long_a_run_stands_still_depends_on_what_is_waited_for() -> None:
    assert configuration().runtime.longest_stall_s == 1800
    assert configuration("runtime.address=auto").runtime.longest_stall_s == 86_400
    assert configuration("runtime.storage_retry_s=900").runtime.longest_stall_s == 2700, (
        "a store may be away so long"
    )
    assert configuration("runtime.stall_timeout_s=10", "runtime.address=auto").runtime.longest_stall_s == 10


def test_bars_do_not_go_between_lines_of_json() -> None:
    with pytest.raises(ConfigError, match=r"runtime\.progress=true"):
        configuration("runtime.log_format=json", "runtime.progress=true")


def test_text_names_files_and_json_does_not_unless_told() -> None:
    assert configuration().runtime.logs_paths and not configuration("runtime.log_format=json").runtime.logs_paths
    assert not configuration("runtime.log_paths=false").runtime.logs_paths
    assert configuration("runtime.log_format=json", "runtime.log_paths=true").runtime.logs_paths


@pytest.mark.parametrize(
    "options", ["s3={secret:hidden}", "s3={client_kwargs:{aws_secret_access_key:hidden}}", "gs={token:hidden}"]
)
def test_credentials_do_not_belong_into_a_configuration(options: str) -> None:
    with pytest.raises(ConfigError, match="credentials") as raised:
        configuration(f"runtime.storage_options.{options}")
    assert "hidden" not in str(raised.value)


def test_stores_are_reached_as_configured() -> None:
    options = "runtime.storage_options.s3={endpoint_url:'http://x'}"
    access = configuration(options, "runtime.storage_block_kb=64").runtime.access
    assert access.options == {"s3": {"endpoint_url": "http://x"}} and access.block_bytes == 65536
    assert access.scratch_max_bytes is None and access.retry_s == 300


def test_options_of_a_store_that_nobody_knows_are_refused() -> None:
    with pytest.raises(ConfigError, match="ftp"):
        configuration("+runtime.storage_options.ftp={x:1}")
