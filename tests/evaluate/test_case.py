from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.case import make_case
from anonflow.evaluate.ground import Annotated, Annotations, Item, ground_truth
from anonflow.evaluate.sight import Sight
from anonflow.types import Detections, FrameFacts, MaskPlan, Tracks

LABELS = ("face",)
FACTS = FrameFacts(np.arange(2), np.full(2, 0.5, np.float32), np.array([False, True]))
SIGHT = Sight(
    item_id="x",
    is_video=True,
    width=100,
    height=50,
    shown=(50, 100),
    times_s=np.array([0.0, 0.5]),
    end_s=1.0,
    detections=Detections.empty(),
    facts=FACTS,
    tracks=Tracks.empty(),
    plan=MaskPlan.empty(),
    to_stored=lambda xyxy: xyxy[:, [1, 0, 3, 2]],  # mirrored along the diagonal
)


def case(*rows: dict[str, Any], item: Item | None = None, sight: Sight = SIGHT, min_visible: float = 0) -> Any:
    item = item or Item(Path("v.mp4"), Path("gt.txt"))
    made = [
        Annotated(**{"item": 0, "label": "face", "place": "line 7", "xyxy": (1, 2, 11, 22)} | row) for row in rows
    ]
    truth = ground_truth(Annotations("mot", (item,), tuple(made), LABELS), LABELS, {}, Path("gt.txt"))
    return make_case(item, truth.objects, sight, LABELS, min_visible)


def test_boxes_are_turned_clipped_and_dropped_when_outside() -> None:
    got = case({"track_id": 1}, {"xyxy": (-5, 90, 5, 200), "frame": 1, "track_id": 2}, {"xyxy": (60, 1, 70, 9)})
    assert got.scene.truth.xyxy.tolist() == [[2, 1, 22, 11], [90, 0, 100, 5]]
    assert got.scene.shots.tolist() == [0, 1] and got.duration_s == 1


def test_shares_are_of_the_shown_picture() -> None:
    item = Item(Path("v.mp4"), Path("gt.txt"), in_shares=True)
    assert case({"xyxy": (0.1, 0.1, 0.5, 0.2)}, item=item).scene.truth.xyxy.tolist() == [[10, 5, 20, 25]]


def test_annotated_as_it_is_stored() -> None:
    item = Item(Path("v.mp4"), Path("gt.txt"), width=100, height=50)
    assert case({}, item=item).scene.truth.xyxy.tolist() == [[1, 2, 11, 22]]


def test_another_size_or_length_is_another_file() -> None:
    with pytest.raises(TruthError, match=r"gt\.txt.*v\.mp4 are for a picture of 64x48 px, but it has 50x100"):
        case({}, item=Item(Path("v.mp4"), Path("gt.txt"), width=64, height=48))
    with pytest.raises(TruthError, match=r"gt\.txt, line 7: frame 2 .*v\.mp4, which has 2"):
        case({"frame": 2})


def test_what_is_ignored_hidden_or_a_crowd_is_not_judged() -> None:
    rows = ({"track_id": 1}, {"ignored": True, "track_id": 2}, {"crowd": True}, {"visible": 0.2, "track_id": 4})
    got = case(*rows, min_visible=0.2)
    assert got.ignored.tolist() == [False, True, True, True] and got.crowd.tolist() == [False, False, True, False]
    assert got.scene.truth.visible.tolist() == [1, 0, 0, 0]


def test_boxes_without_a_track_are_objects_of_their_own() -> None:
    got = case({}, {"frame": 1}, {"track_id": 3}, {"track_id": 3, "frame": 1})
    assert len(set(got.scene.truth.object_ids.tolist())) == 3


def test_a_picture_has_no_time() -> None:
    sight = replace(SIGHT, is_video=False, times_s=np.zeros(1), facts=FACTS[:1])
    got = case({}, sight=sight)
    assert got.duration_s == 0 and got.scene.n_frames == 1


def test_areas_of_the_annotation_count_before_those_of_boxes() -> None:
    assert case({"area": 50.0}, {"frame": 1}).areas.tolist() == [50, 200]
