"""Faults at named points of the program, put there by the plug in `tests/faults/plug`; none is in the product."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any

PLUG = Path(__file__).parent / "plug"


@dataclass(frozen=True)
class Fault:
    """What is done at a function (`package.module:name`) when its arguments, or the input in work, match."""

    at: str
    do: str
    match: str = ""
    when: str = "before"
    times: int = 1
    """How often, over all processes; the calls after that are left alone."""
    skip: int = 0
    """Calls that are left alone first."""
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise AttributeError where there is no such function: its fault would never strike."""
        module, _, name = self.at.partition(":")
        attrgetter(name)(import_module(module))


def replaced(at: str, by: str) -> Fault:
    """Another function in the place of `at`."""
    return Fault(at, "replace", more={"with": by})


STAND_IN = (
    replaced("anonflow.detect.families:build_detector", "fault_detector:build"),
    replaced("anonflow.detect.models:ModelStore.load", "fault_detector:no_weights"),
)
"""The detector of the tests, which costs nothing and sees what is in the tests' clips."""


def plugged(faults: Sequence[Fault], folder: Path) -> dict[str, str]:
    """The environment of a run with these faults; `folder` counts how often each has struck."""
    folder.mkdir(parents=True, exist_ok=True)
    records = [
        {"id": str(number), "at": f.at, "do": f.do, "match": f.match, "when": f.when, "times": f.times}
        | {"skip": f.skip}
        | f.more
        for number, f in enumerate((*STAND_IN, *faults))
    ]
    path = os.pathsep.join([str(PLUG), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"ANONFLOW_FAULTS": json.dumps(records), "ANONFLOW_FAULTS_FOLDER": str(folder), "PYTHONPATH": path}


def n_calls(folder: Path, position: int) -> int:
    """How often the fault at that position met what it matches."""
    counted = folder / f"{position + len(STAND_IN)}.call"
    return counted.stat().st_size if counted.exists() else 0
