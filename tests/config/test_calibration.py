from __future__ import annotations

import pytest

from anonflow.config.calibration import CostsConfig, TargetConfig
from anonflow.errors import ConfigError


def test_a_target_is_any_of_the_two() -> None:
    assert not TargetConfig(None, None).is_set
    assert TargetConfig(0.1, None).is_set and TargetConfig(None, 0.1).is_set


def test_costs_are_a_pair() -> None:
    with pytest.raises(ConfigError, match="belong together"):
        CostsConfig(1.0, None)
    assert CostsConfig(None, None).miss_per_s is None
