"""Fetch a configuration's weights into a folder: `python cluster/fetch_models.py FOLDER [KEY=VALUE ...]`.

For images, and for sites without a network; runs find them with `runtime.model_dirs=[FOLDER]`. Hashes are checked.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_module

from anonflow.config import AnonymizeConfig
from anonflow.detect.models import ModelStore
from anonflow.jobs.launch import typed


def fetch(folder: Path, overrides: Sequence[str] = ()) -> list[str]:
    """Have the weights of all detectors of the configuration in `folder`; give their ids."""
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        composed = compose("anonymize", overrides=["input=none", "output=none", *overrides])
    config: AnonymizeConfig = typed(composed, AnonymizeConfig)
    models = [detector.model for detector in config.detector.values()]
    for model in models:
        ModelStore(folder).load(model)
    return [model.id for model in models]


if __name__ == "__main__":
    sys.stdout.write("\n".join(fetch(Path(sys.argv[1]), sys.argv[2:])) + "\n")
