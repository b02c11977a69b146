from __future__ import annotations

import pytest

from anonflow.config import RetentionConfig
from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


def test_nothing_is_kept_by_default() -> None:
    assert configuration().keep == RetentionConfig(detections=False, retention_days=30)


@pytest.mark.parametrize("days", [0, -1, 40_000])
def test_days_are_checked(days: int) -> None:
    with pytest.raises(ConfigError, match=r"keep\.retention_days"):
        RetentionConfig(detections=True, retention_days=days)
