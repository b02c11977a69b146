"""What each stage asks of Ray: how many workers, with how many CPUs, GPUs and how much memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import ray
from ray.data import ActorPoolStrategy, TaskPoolStrategy

from anonflow.config import RuntimeConfig, StageConfig
from anonflow.errors import ConfigError

_MEBIBYTE = 2**20


@dataclass(frozen=True)
class Resources:
    """Arguments of the Ray Data call of each stage."""

    plan: dict[str, Any]
    detect: dict[str, Any]
    stitch: dict[str, Any]
    mask: dict[str, Any]
    join: dict[str, Any]


def stage_resources(config: RuntimeConfig, *, wants_gpu: bool) -> Resources:
    """Turn the configuration of the stages into arguments, checked against what the cluster has."""
    cores, gpus = cores_of(config), cluster_has("GPU")
    num_gpus = config.detect.num_gpus
    if num_gpus is None:
        num_gpus = 1.0 if wants_gpu and gpus else 0.0
    if num_gpus > gpus:
        raise ConfigError(
            f"runtime.detect.num_gpus={num_gpus:g}, but the cluster has {gpus:g} GPUs. "
            "Lower it, or start nodes with GPUs."
        )
    wanted = config.detect.max_workers or (max(1, int(gpus / num_gpus)) if num_gpus else cores)
    detectors = min(wanted, _detectors_that_leave_room(config))
    # A cluster may grow while the run goes on; there, what Ray Data sees of its resources is the limit.
    most = detectors if config.address is None else config.detect.max_workers
    tasks = cores if config.address is None else None
    return Resources(
        plan=_tasks(config.plan, tasks),
        detect={
            **_needs(config.detect),
            **({"num_gpus": num_gpus} if num_gpus else {}),
            # One at a time: with a queue, the actor that is ready first would take the chunks of all.
            "compute": ActorPoolStrategy(min_size=detectors, max_size=most, max_tasks_in_flight_per_actor=1),
        },
        stitch=_tasks(config.stitch, tasks),
        mask=_tasks(config.mask, tasks),
        join=_tasks(config.join, tasks),
    )


def _detectors_that_leave_room(config: RuntimeConfig) -> int:
    """How many detectors the cluster holds beside one task of every other stage; they are never given back."""
    others = [stage.num_cpus for stage in (config.plan, config.stitch, config.mask, config.join)]
    cpus, each = cluster_has("CPU"), config.detect.num_cpus
    if each + max(others) > cpus:
        raise ConfigError(
            f"The cluster has {cpus:g} logical CPUs, and a detector and a task of another stage want "
            f"{each + max(others):g}. Lower num_cpus of runtime.detect and the other stages, or add nodes."
        )
    return max(1, int((cpus - sum(others)) / each)) if each else cores_of(config)


def _tasks(stage: StageConfig, most: int | None) -> dict[str, Any]:
    return {**_needs(stage), "compute": TaskPoolStrategy(size=stage.max_workers or most)}


def _needs(stage: StageConfig) -> dict[str, Any]:
    needs: dict[str, Any] = {"batch_size": None, "batch_format": "pyarrow", "num_cpus": stage.num_cpus}
    if stage.memory_mb:
        needs["memory"] = stage.memory_mb * _MEBIBYTE
    return needs


def cores_of(config: RuntimeConfig) -> int:
    """Cores that the stages share: this machine's, or the cluster's logical CPUs."""
    if config.address is None:
        return available_cores()
    return max(1, int(cluster_has("CPU")))


def cluster_has(resource: str) -> float:
    """How much of a resource, by Ray's name for it, the cluster has in all."""
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]  # Ray leaves it untyped
    return resources.get(resource, 0.0)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
