from __future__ import annotations

import pytest

from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


@pytest.mark.parametrize(
    "override",
    [
        "runtime.lineage.url=kafka://host",
        "runtime.lineage.namespace=''",
        "runtime.lineage.timeout_s=0",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(override: str) -> None:
    with pytest.raises(ConfigError, match=override.split("=", maxsplit=1)[0]):
        configuration(override)


def test_nobody_is_told_unless_somebody_is_named() -> None:
    assert not configuration().runtime.lineage.is_on
    assert configuration("runtime.lineage.url=https://lineage.example").runtime.lineage.is_on
    assert configuration("runtime.lineage.file=events.jsonl").runtime.lineage.is_on
