"""Sweeps (`-m`): a folder of its own for each run, one Ray and one detection pass for all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode

from anonflow.config import AnonymizeConfig
from anonflow.pipeline.cluster import Connection
from anonflow.pipeline.paths import CONTROL_FOLDER
from anonflow.storage import fingerprint, make_private_folder, remove_tree

_MAX_NAME_BYTES = 150
SHARED_FOLDER = "sweep"


@dataclass
class Sweep:
    """What the runs of one command share."""

    connection: Connection = field(default_factory=Connection)
    detections: set[Path] = field(default_factory=set)

    def one_of(self, config: AnonymizeConfig) -> AnonymizeConfig:
        """The configuration of one run of a sweep; as it is, if there is no sweep."""
        if not HydraConfig.initialized() or HydraConfig.get().mode is not RunMode.MULTIRUN:
            return config
        self.connection.be(config.runtime)
        own = replace(config, output=str(Path(config.output) / own_folder(HydraConfig.get().overrides.task)))
        if config.runtime.detections_dir is not None:
            return own
        shared = (Path(config.output) / CONTROL_FOLDER / SHARED_FOLDER).absolute()
        make_private_folder(shared)
        self.detections.add(shared)
        return replace(own, runtime=replace(own.runtime, detections_dir=str(shared)))

    def forget(self) -> None:
        """Remove the detections. After an interruption they wait for the next try instead."""
        for folder in self.detections:
            remove_tree(folder)


@contextmanager
def sweeping() -> Iterator[Sweep]:
    """The block's runs are those of one command."""
    sweep = Sweep()
    try:
        yield sweep
    finally:
        sweep.connection.end()


def own_folder(overrides: list[str]) -> Path:
    """The folder of one run below the common output, named by what sets the run apart.

    `overrides` are those of this run. It is the output itself where that tells the runs apart.
    """
    swept = _swept_keys(sys.argv[1:])
    if "output" in swept or any(a.startswith("output=") and "${" in a for a in sys.argv):
        return Path()
    values = dict(override.split("=", 1) for override in overrides if "=" in override)
    name = ",".join(f"{key}={values[key]}" for key in swept if key in values).replace("/", "_")
    if len(name.encode()) > _MAX_NAME_BYTES:
        name = f"{name.encode()[: _MAX_NAME_BYTES - 17].decode(errors='ignore')}~{fingerprint(name)}"
    return Path(name)


def _swept_keys(arguments: list[str]) -> list[str]:
    """Keys that the command line, or the sweeper's own parameters, give several values."""
    given = [a for a in arguments if "=" in a and not a.startswith("-")]
    params = HydraConfig.get().sweeper.get("params") if HydraConfig.initialized() else None
    given += [f"{key}={value}" for key, value in (params or {}).items()]
    parser = OverridesParser.create()
    swept = []
    for argument in given:
        try:
            override = parser.parse_override(argument)
        except HydraException:  # Hydra itself has said so
            continue
        if override.is_sweep_override():
            swept.append(override.key_or_group)
    return swept
