from __future__ import annotations

import pytest

from anonflow.evaluate.intervals import Bootstrap
from anonflow.evaluate.judge import ALL, Settings, judge
from tests.evaluate.samples import LABELS, picture, video

HOW = Settings(min_count=1, bootstrap=Bootstrap(50))
SCORES = {"face": 0.2, "plate": 0.2}
FACE = [10, 10, 30, 30]


def test_metrics_are_nested_by_group_label_and_name() -> None:
    got = judge([video(), video("cuts")], LABELS, LABELS, SCORES, HOW)
    m = got.metrics
    assert set(m["detection"]) == set(LABELS) and set(m["masks"]) == {*LABELS, ALL}
    assert 0 < m["detection"]["face"]["ap50"] <= 1 and 0 <= m["masks"]["face"]["leak_rate"] < 0.2
    assert m["masks"][ALL]["object_frames"] == sum(m["masks"][label]["object_frames"] for label in LABELS)
    assert 0.3 < m["tracking"]["face"]["hota"] <= 1 and m["tracking"]["face"]["mota"] > 0.3
    low, high = m["masks"]["face"]["intervals"]["leak_rate"]
    assert low <= m["masks"]["face"]["leak_rate"] <= high
    worst = m["worst_group"]
    assert worst["leak_rate"] == max(s.leak_rate for s in got.slices)


def test_only_what_is_annotated_is_judged() -> None:
    got = judge([picture([FACE], found=[FACE], masks=[FACE])], LABELS, ["face"], SCORES, HOW).metrics
    assert list(got["detection"]) == ["face"] == list(got["masks"]) and "tracking" not in got
    assert got["masks"]["face"]["leak_rate"] == 0 and "exposure_s" not in got["masks"]["face"]


def test_masks_of_a_video_have_times() -> None:
    masks = judge([video("occlusion")], LABELS, ["face"], SCORES, HOW).metrics["masks"]["face"]
    names = {
        "exposure_s",
        "longest_exposure_s",
        "flicker_per_min",
        "false_tracks_per_h",
        "missed_objects",
        "coverage",
    }
    assert names <= set(masks) and masks["coverage"] > 0.9
    assert (
        masks["exposure_s"] == pytest.approx(masks["exposure_s"])
        and masks["exposure_s"] >= masks["longest_exposure_s"]
    )
