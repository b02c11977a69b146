from __future__ import annotations

import pytest

from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


@pytest.mark.parametrize(
    "override",
    [
        "limits.max_pixels=0",
        "limits.max_pixels=3000000000",
        "limits.max_streams=0",
        "limits.max_frames=-1",
        "limits.max_duration_s=0",
        "limits.max_decode_s_per_frame=nan",
        "source.on_damage=ignore",
    ],
)
def test_a_bound_that_bounds_nothing_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=override.split("=", maxsplit=1)[0].replace(".", r"\.")):
        configuration(override)


def test_no_honest_archive_meets_the_defaults() -> None:
    limits = configuration().limits
    assert limits.max_pixels > 16_384 * 8_704  # the largest picture of any level of H.264, HEVC and AV1
    assert limits.max_streams >= 128 and limits.max_duration_s >= 7 * 86_400
    assert limits.max_frames >= 72 * 3600 * 30


def test_damage_stops_a_video_by_default() -> None:
    assert not configuration().source.hides_damage
    assert configuration("source.on_damage=hide_frame").source.hides_damage
