from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anonflow.track.state import Renaming, TrackerState
from anonflow.track.tracker import run
from tests.streams import DEEPSORT, Scene, detections, even, looks_of, make_params, seen, still_object

STREAM = Scene(seed=3, n_frames=60, n_objects=12, n_labels=2, clutter=0.5, snap_px=1e-3).detections()
STATE, _ = run(TrackerState.empty(5), seen(STREAM), 0, 40, even(60), DEEPSORT, looks_of(STREAM))


def test_the_state_of_the_test_has_tracks() -> None:
    assert len(STATE) > 2


def test_a_state_equals_itself() -> None:
    assert STATE.equals(STATE[:])
    assert STATE[:1].then(STATE[1:]).equals(STATE)


@pytest.mark.parametrize("column", range(STATE.counts.shape[1]))
def test_every_count_counts_but_names_only_in_full_equality(column: int) -> None:
    counts = STATE.counts.copy()
    counts[:, column] += 1
    other = replace(STATE, counts=counts)
    assert not STATE.equals(other)
    assert STATE.equals_but_names(other) == (column == 0)


@pytest.mark.parametrize("column", range(STATE.motion.shape[1]))
def test_every_number_of_a_motion_counts(column: int) -> None:
    motion = STATE.motion.copy()
    motion[0, column] += 2.0**-12
    assert not STATE.equals_but_names(replace(STATE, motion=motion))


def test_the_next_name_is_a_name() -> None:
    other = replace(STATE, next_id=STATE.next_id + 1)
    assert not STATE.equals(other) and STATE.equals_but_names(other)


def test_states_with_more_tracks_are_not_equal() -> None:
    assert not STATE.equals_but_names(STATE[:-1])


def test_newest_tracks_come_first() -> None:
    assert (np.diff(STATE.last_frames) <= 0).all()


def test_tracks_of_the_newest_frame_stand_in_the_order_of_its_detections() -> None:
    known = still_object({0: 0.9, 1: 0.9}, x=100)
    stream = detections([*still_object({1: 0.9}, x=0), *known, *still_object({1: 0.9}, x=200)])
    state, _ = run(TrackerState.empty(), seen(stream), 0, 2, even(2), make_params())
    assert np.floor(state.boxes[:, 0]).tolist() == [0, 100, 200]
    assert state.track_ids.tolist() == [1, 0, 2]


def test_renaming_maps_living_tracks_by_row_and_later_births_by_order() -> None:
    names = np.arange(len(STATE))[::-1] * 7 + 100
    true = STATE.renamed(names, 5000)
    renaming = Renaming(guess=STATE, true=true)
    np.testing.assert_array_equal(renaming.ids(STATE.track_ids), names)
    np.testing.assert_array_equal(renaming.ids(STATE.next_id + np.array([2, 0])), [5002, 5000])
    assert renaming.state(STATE).equals(true)
