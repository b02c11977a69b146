from __future__ import annotations

import pytest

from anonflow.errors import ConfigError
from tests.pipeline.worlds import configuration


@pytest.mark.parametrize(
    "override",
    [
        "tracker.buffer_s=-1",
        "tracker.buffer_s=inf",
        "tracker.min_hits=0",
        "tracker.high_match_iou=1.5",
        "tracker.low_match_iou=-1",
        "tracker.max_speed_sides_per_s=-1",
        "stabilise.max_gap_s=-1",
        "stabilise.extend_before_s=-1",
        "stabilise.extend_after_s=inf",
        "stabilise.extend_motion_s=-1",
        "stabilise.smooth_sigma_s=nan",
        "stabilise.reverse.buffer_s=-1",
        "stabilise.reverse.match_iou=2",
        "stabilise.drop.min_duration_s=-1",
        "stabilise.drop.min_score=2",
        "rules.bridge_neighbours.min_iou=-1",
        "rules.extend_at_edge.within=-1",
        "rules.plate_context.vehicle_widths=0",
        "rules.plate_context.min_visible=2",
        "rules.plate_context.keep_duration_s=-1",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(override: str) -> None:
    with pytest.raises(ConfigError) as raised:
        configuration(override)
    assert override.lstrip("~").split("=")[0].split(".")[-1] in str(raised.value)


@pytest.mark.parametrize("override", ["max_cosine_distance=0", "max_cosine_distance=3", "gallery=0"])
def test_a_look_that_makes_no_sense_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=override.split("=", maxsplit=1)[0]):
        configuration("tracker=deepsort", f"tracker.appearance.{override}")


def test_a_round_can_be_left_out() -> None:
    assert configuration("tracker.low_match_iou=null").tracker.low_match_iou is None
