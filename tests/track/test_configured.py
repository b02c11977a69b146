from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anonflow.track.configured import (
    by_label,
    grading,
    margins,
    operators,
    overlap_frames,
    timeline,
    tracker_params,
)
from anonflow.types import FrameFacts
from tests.pipeline.worlds import configuration
from tests.test_types import index_of


def names(*overrides: str) -> list[str]:
    return [type(operator).__name__ for operator in operators(configuration(*overrides))]


def test_values_are_by_label_code() -> None:
    scores = ("detector.face.threshold=0.5", "detector.plate.threshold=0.25")
    config = configuration(*scores, "mask.face.margin=0.1", "mask.plate.margin=0.3")
    assert config.labels == ("face", "plate")
    assert grading(config).start.tolist() == [0.5, 0.25]
    assert margins(config) == [0.1, 0.3]


def test_of_two_detectors_of_one_label_the_lower_threshold_counts() -> None:
    face = configuration("detector.face.threshold=0.5", "detector.face.floor=0.1").detector["face"]
    both = replace(
        configuration(),
        detector={"one": face, "two": replace(face, threshold=0.25, keep_threshold=0.2, floor=0.125)},
    )
    assert grading(both).start.tolist() == [0.25]
    assert by_label(both, lambda d: d.floor).tolist() == pytest.approx([0.1])


def test_labels_can_be_left_alone_and_sizes_be_limited() -> None:
    config = configuration("label.plate.hide=false", "label.face.min_side_px=9", "label.face.max_side_share=0.5")
    graded = grading(config)
    assert graded.hidden.tolist() == [True, False]
    assert (graded.min_side_px[0], graded.max_side_share[0]) == (9, 0.5)


def test_adaption_can_be_turned_off() -> None:
    assert grading(configuration()).adaptive.enabled
    assert not grading(configuration("adaptive.enabled=false")).adaptive.enabled


def test_the_timeline_knows_the_cuts_of_the_frames_that_were_seen() -> None:
    facts = FrameFacts(np.array([1, 2]), np.zeros(2, np.float32), np.array([False, True]))
    assert timeline(index_of([0, 4, 8, 12]), facts).cuts.tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("overrides", "n_frames"),
    [((), 16), (("tracker=deepsort",), 26), (("chunk.overlap_frames=0",), 1), (("chunk.overlap_frames=40",), 40)],
)
def test_the_overlap_follows_from_the_configuration(overrides: tuple[str, ...], n_frames: int) -> None:
    config = configuration(*overrides)
    assert overlap_frames(config.chunk, config.tracker) == n_frames


def test_trackers_differ_in_their_rounds() -> None:
    names = ("bytetrack", "sort", "deepsort")
    bytetrack, sort, deepsort = (tracker_params(configuration(f"tracker={name}").tracker) for name in names)
    assert bytetrack.low_match_iou and bytetrack.max_speed_sides_per_s and not bytetrack.gallery
    assert sort.low_match_iou is None and not sort.max_speed_sides_per_s and not sort.gallery
    assert deepsort.gallery == 10


def test_policies_choose_the_steps() -> None:
    assert names() == ["FillGaps", "BridgeNeighbours", "ExtendEnds", "Smooth", "ExtendAtEdge"]
    assert names("policy=balanced")[0] == "DropTracks"
    assert names("policy=precision_first")[:2] == ["PlateContext", "DropTracks"]
    assert "ExtendAtEdge" not in names("policy=precision_first")


@pytest.mark.parametrize(
    ("override", "name"),
    [
        ("stabilise.max_gap_s=0", "FillGaps"),
        ("rules.bridge_neighbours.enabled=false", "BridgeNeighbours"),
        ("stabilise.smooth_sigma_s=0", "Smooth"),
        ("rules.extend_at_edge.enabled=false", "ExtendAtEdge"),
    ],
)
def test_each_step_can_be_turned_off(override: str, name: str) -> None:
    assert name in names() and name not in names(override)


def test_policies_run_from_recall_to_precision() -> None:
    policies = [configuration(f"policy={p}") for p in ("recall_first", "balanced", "precision_first")]
    for label in ("face", "plate"):
        thresholds = [p.detector[label].threshold for p in policies]
        keeps = [p.detector[label].keep_threshold for p in policies]
        widths = [p.mask[label].margin for p in policies]
        assert (
            thresholds == sorted(thresholds) and keeps == sorted(keeps) and widths == sorted(widths, reverse=True)
        )
    for value in ("max_gap_s", "extend_before_s", "extend_after_s", "smooth_sigma_s"):
        values = [getattr(p.stabilise, value) for p in policies]
        assert values == sorted(values, reverse=True)


def test_a_single_value_of_a_policy_can_be_overridden() -> None:
    config = configuration("policy=balanced", "policy.face.threshold=0.3", "stabilise.extend_after_s=2")
    assert config.detector["face"].threshold == 0.3
    assert (config.stabilise.extend_before_s, config.stabilise.extend_after_s) == (0.2, 2)
