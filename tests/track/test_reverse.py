from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.track.reverse import prolong_backwards, unclaimed_by
from anonflow.track.timeline import Timeline
from anonflow.track.tracker import one_pass
from anonflow.types import Origin, Tracks
from tests.streams import Scene, detections, even, make_params, scenes, seen, still_object, timelines

APPROACHING = still_object(dict.fromkeys(range(10, 30), 0.3) | dict.fromkeys(range(30, 50), 0.9))


def prolonged(rows: list[tuple[float, ...]], timeline: Timeline | None = None) -> Tracks:
    stream, timeline = seen(detections(rows)), timeline or even(60)
    tracks = one_pass(stream, timeline, make_params())
    return prolong_backwards(tracks, unclaimed_by(tracks, stream), timeline, buffer_s=0.2, match_iou=0.3)


def test_a_track_begins_where_its_object_was_first_seen_faintly() -> None:
    tracks = prolonged(APPROACHING)
    assert tracks.frames.tolist() == list(range(10, 50))
    assert set(tracks.track_ids.tolist()) == {0}
    assert tracks.origins.tolist() == [Origin.REVERSED] * 20 + [Origin.DETECTED] * 20


def test_short_absences_on_the_way_are_bridged_and_long_ones_are_not() -> None:
    faint = dict.fromkeys([*range(10, 20), *range(24, 30)], 0.3)
    assert len(prolonged(still_object(faint | dict.fromkeys(range(30, 50), 0.9)))) == 36
    faint = dict.fromkeys([*range(10, 18), *range(24, 30)], 0.3)
    assert len(prolonged(still_object(faint | dict.fromkeys(range(30, 50), 0.9)))) == 26


def test_it_does_not_cross_a_cut() -> None:
    cuts = np.arange(60) == 20
    assert prolonged(APPROACHING, replace(even(60), cuts=cuts)).frames.tolist() == list(range(20, 50))


def test_weak_detections_elsewhere_stay_alone() -> None:
    far = still_object(dict.fromkeys(range(10, 30), 0.3), x=400)
    assert len(prolonged([*APPROACHING, *far])) == 40


def test_a_birth_does_not_carry_on_another_track() -> None:
    """Two tracks of one place, one after the other: each keeps its own points."""
    rows = still_object(dict.fromkeys(range(5), 0.9) | dict.fromkeys(range(30, 50), 0.9))
    assert prolonged(rows).track_ids.tolist() == [0] * 5 + [1] * 20


@given(st.data(), scenes(max_frames=100))
@settings(max_examples=50, deadline=None)
def test_what_it_promises(data: st.DataObject, scene: Scene) -> None:
    stream, timeline = seen(scene.detections()), data.draw(timelines(scene.n_frames))
    tracks = one_pass(stream, timeline, make_params())
    unclaimed = unclaimed_by(tracks, stream)
    assert len(unclaimed) == (~stream.high).sum() - (tracks.origins == Origin.LOW).sum()
    longer = prolong_backwards(tracks, unclaimed, timeline, buffer_s=0.3, match_iou=0.3)
    added = longer[longer.origins == Origin.REVERSED]
    assert longer[longer.origins != Origin.REVERSED].equals(tracks), "nothing is taken away"
    boxes = {(f, box.tobytes()) for f, box in zip(unclaimed.frames.tolist(), unclaimed.xyxy, strict=True)}
    assert {(f, box.tobytes()) for f, box in zip(added.frames.tolist(), added.xyxy, strict=True)} <= boxes
    births = {i: int(tracks.frames[tracks.track_ids == i].min()) for i in set(added.track_ids.tolist())}
    assert all(f < births[i] for f, i in zip(added.frames.tolist(), added.track_ids.tolist(), strict=True))
    names = list(zip(longer.frames.tolist(), longer.track_ids.tolist(), strict=True))
    assert names == sorted(set(names)), "one point of a track in a frame"
