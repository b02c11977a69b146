from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anonflow.track.association import UNTRACKED
from anonflow.track.rules import BridgeNeighbours, ExtendAtEdge, PlateContext
from anonflow.types import Origin, Tracks
from tests.track.test_operators import applied, cut_at, tracks_of

BRIDGE = BridgeNeighbours(min_iou=0.3)


def test_what_is_in_both_neighbours_is_put_into_the_middle() -> None:
    bridged = applied(BRIDGE, tracks_of([(3, 0, 100.0), (5, 1, 104.0)]))
    (row,) = np.flatnonzero(bridged.origins == Origin.RULE)
    assert (bridged.frames[row], bridged.track_ids[row]) == (4, UNTRACKED)
    np.testing.assert_allclose(bridged.xyxy[row], [102, 0, 112, 10])


@pytest.mark.parametrize(
    "points",
    [
        [(3, 0, 100.0), (6, 1, 104.0)],
        [(3, 0, 100.0), (5, 1, 108.0)],
        [(3, 0, 100.0), (4, 0, 100.0), (5, 0, 100.0)],
        [(3, 0, 100.0)],
    ],
    ids=["two frames apart", "too far", "nothing missing", "no neighbour"],
)
def test_nothing_else_is_bridged(points: list[tuple[int, int, float]]) -> None:
    assert len(applied(BRIDGE, tracks_of(points))) == len(points)


def test_bridges_stay_within_a_label_and_a_shot() -> None:
    one, other = tracks_of([(3, 0, 100.0)]), tracks_of([(5, 1, 100.0)], label=1)
    assert len(applied(BRIDGE, Tracks.concat([one, other]))) == 2
    for cut in (4, 5):
        assert len(applied(BRIDGE, tracks_of([(3, 0, 100.0), (5, 1, 100.0)]), cut_at(cut))) == 2


def test_boxes_near_the_edge_reach_it() -> None:
    edge = ExtendAtEdge(labels=(0,), within=0.5)
    points = tracks_of([(0, 0, 4.0), (0, 1, 6.0), (0, 2, 987.0), (0, 3, 500.0)])
    points = replace(points, xyxy=points.xyxy + np.array([0, 300, 0, 300], np.float32))
    assert applied(edge, points).xyxy[:, [0, 2]].tolist() == [[0, 14], [6, 16], [987, 1000], [500, 510]]
    assert applied(ExtendAtEdge(labels=(1,), within=0.5), points).equals(points)


def test_a_box_beyond_the_edge_is_not_cut_back_by_much() -> None:
    """A mask is clipped to the picture anyway: what counts is that it covers all of the box inside."""
    points = tracks_of([(0, 0, -3.0)])
    assert applied(ExtendAtEdge((0,), 0.5), points).xyxy[0].tolist() == [0, 0, 7, 10]


def plate(width: float, x: float = 500.0, n_frames: int = 1) -> Tracks:
    points = tracks_of([(f, 0, 0.0) for f in range(n_frames)], label=1)
    xyxy = np.tile(np.array([x - width / 2, 400, x + width / 2, 420], np.float32), (n_frames, 1))
    return replace(points, xyxy=xyxy)


CONTEXT = PlateContext(label=1, vehicle_widths=3.0, min_visible=0.5, keep_duration_s=0.2)


def test_a_plate_must_leave_room_for_a_vehicle() -> None:
    assert len(applied(CONTEXT, plate(600))) == 1  # 1000 of 1800 px in the picture
    assert len(applied(CONTEXT, plate(700))) == 0
    assert len(applied(CONTEXT, plate(100, x=20))) == 1
    assert len(applied(replace(CONTEXT, label=0), plate(700))) == 1, "other labels stay"


def test_a_plate_that_stays_is_believed() -> None:
    assert len(applied(CONTEXT, plate(700, n_frames=5))) == 5
    assert len(applied(CONTEXT, plate(700, n_frames=4))) == 0
