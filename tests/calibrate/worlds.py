"""Made-up measurements, and a real configuration, for the tests of calibration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hydra import compose, initialize_config_module

from anonflow.calibrate.choose import Measure
from anonflow.calibrate.units import Leaks
from anonflow.jobs.calibrate import CalibrateConfig, spelled_out
from anonflow.jobs.launch import typed


def configured(*overrides: str) -> CalibrateConfig:
    given = ["data=generated", "output=out", "target.leak_rate=0.1", *overrides]
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        return typed(compose("calibrate", overrides=[spelled_out(o) for o in given]), CalibrateConfig)


def leaks(rates: Any, over_mask_share: float = 0.1, objects: int = 1) -> Leaks:
    """Videos of 10 s and 100 object-frames each."""
    rates = np.asarray(rates, np.float64)
    ones = np.ones(len(rates))
    return Leaks(
        object_frames=100.0 * objects * ones,
        leak_rate=rates,
        leaked_object_share=(rates > 0).astype(np.float64),
        leaking_s=10 * rates,
        leaked_objects=(rates > 0).astype(np.float64),
        over_mask_share=over_mask_share * ones,
        duration_s=10 * ones,
    )


def measured(rate_of: Callable[[float, int], Any], n_margins: int = 1) -> Measure:
    """Leak rates by threshold and number of the margin; stricter settings hide less in vain."""
    return lambda threshold: [
        leaks(rate_of(threshold, margin), (1 - threshold) / (margin + 1)) for margin in range(n_margins)
    ]
