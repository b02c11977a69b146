"""Refuses Hydra launchers that run the runs of a sweep in other processes."""

from __future__ import annotations

import sys
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from anonflow.jobs.launch import USAGE

_HERE = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


class RunsHere(Callback):
    """A callback of Hydra's: the runs of a sweep happen in this process, one after the other.

    Elsewhere each would end in an exit code that nobody sees, start a Ray within a Ray, and detect for itself.
    """

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Raise SystemExit, which alone among exceptions Hydra lets through, for another launcher than its own."""
        launcher = OmegaConf.select(config, "hydra.launcher._target_")
        if launcher != _HERE:
            sys.stderr.write(
                f"hydra/launcher={launcher}: the runs of a sweep share one Ray, one detection pass and one exit "
                "code, so they run in one process. Leave the launcher out; runtime.address=HOST:PORT has them on a "
                "cluster, each on all of it.\n"
            )
            raise SystemExit(USAGE)
