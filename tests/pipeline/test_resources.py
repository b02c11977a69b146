from __future__ import annotations

import os
from dataclasses import replace

import pytest
from ray.data import DataContext

from anonflow.config import RuntimeConfig
from anonflow.errors import ConfigError
from anonflow.pipeline.resources import available_cores, stage_resources


def test_each_stage_gets_what_the_configuration_says(embedded_ray: RuntimeConfig) -> None:
    mask = replace(embedded_ray.mask, num_cpus=2.0, memory_mb=3, max_workers=5)
    on = stage_resources(replace(embedded_ray, mask=mask), wants_gpu=False)
    assert (on.mask["num_cpus"], on.mask["memory"], on.mask["compute"].size) == (2.0, 3 * 2**20, 5)
    assert on.plan["compute"].size == available_cores() and "memory" not in on.plan
    assert on.detect["compute"].min_size == on.detect["compute"].max_size == available_cores()
    assert "num_gpus" not in on.detect
    for stage in (on.plan, on.detect, on.stitch, on.mask, on.join):
        assert stage["batch_size"] is None and stage["batch_format"] == "pyarrow"


def test_on_a_cluster_that_may_grow_the_pools_may_grow(embedded_ray: RuntimeConfig) -> None:
    on = stage_resources(replace(embedded_ray, address="auto"), wants_gpu=False)
    assert 1 <= on.detect["compute"].min_size < on.detect["compute"].max_size == float("inf")
    assert on.mask["compute"].size is None, "the cluster's CPUs are the limit"
    detect = replace(embedded_ray.detect, max_workers=2)
    on = stage_resources(replace(embedded_ray, address="auto", detect=detect), wants_gpu=False)
    assert on.detect["compute"].max_size == 2
    assert DataContext.get_current().autoscaling_config.actor_pool_util_upscaling_threshold == 1.0


def test_more_gpus_than_there_are_is_a_configuration_error(embedded_ray: RuntimeConfig) -> None:
    greedy = replace(embedded_ray, detect=replace(embedded_ray.detect, num_gpus=1000.0))
    with pytest.raises(ConfigError, match="1000"):
        stage_resources(greedy, wants_gpu=True)


def test_the_cores_are_those_that_this_process_may_use() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
