from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anonflow.evaluate.masks import count_masks, coverage, pool_counts
from anonflow.types import MaskPlan, Tracks
from tests.evaluate.samples import picture, video

FACE, OTHER = [10, 10, 30, 30], [60, 60, 80, 80]


def test_by_hand_on_a_picture() -> None:
    case = picture([FACE, OTHER], masks=[[10, 10, 30, 20], [60, 60, 80, 80], [0, 90, 10, 100]])
    got = count_masks(case, [0], 0.9)
    assert coverage(case).tolist() == [0.5, 1.0] and got.coverage == 0.75
    assert (got.exposure.object_frames, got.exposure.leaking_frames, got.missed_objects) == (2, 1, 1)
    assert got.exposure.over_mask_frames == pytest.approx(100 / 10_000)
    assert (got.tracks, got.video_s, got.exposure.leaking_s, got.exposure.presence_s) == (0, 0, 0, 0)


def test_ignored_objects_neither_leak_nor_make_a_mask_vain() -> None:
    case = picture([FACE, OTHER], masks=[OTHER], ignored=[False, True])
    got = count_masks(case, [0], 0.9)
    assert got.exposure.object_frames == 1 and got.exposure.over_mask_frames == 0


def test_masks_of_other_labels_hide_but_are_not_in_vain() -> None:
    case = picture([FACE], masks=[FACE, OTHER])
    case = replace(case, plan=replace(case.plan, labels=np.ones(2, np.int16)))
    got = count_masks(case, [0], 0.9)
    assert got.exposure.leaking_frames == 0 and got.exposure.over_mask_frames == 0


def test_videos_have_times_and_tracks() -> None:
    case = video()
    got = count_masks(case, [0, 1], 0.9)
    assert got.video_s == pytest.approx(case.scene.truth.end_s - case.scene.times_s[0])
    assert got.exposure.presence_s > 0 and got.tracks == len(np.unique(case.tracks.track_ids)) > 0
    assert got.false_tracks_per_h == pytest.approx(3600 * got.false_tracks / got.video_s)
    unmasked = replace(case, plan=MaskPlan.empty())
    bare = count_masks(unmasked, [0, 1], 0.9)
    assert bare.missed_objects == bare.exposure.objects == bare.exposure.leaked_objects and bare.coverage == 0


def test_a_track_is_false_only_if_it_never_touches_an_object() -> None:
    case = video()
    truth = case.scene.truth
    rows = np.flatnonzero((truth.labels == 0) & ~case.ignored)[:1]
    true = Tracks(
        np.array([truth.frames[rows[0]], len(case.scene.times_s) - 1]),
        np.array([7, 7]),
        np.stack([truth.xyxy[rows[0]], np.array([0, 0, 2, 2], np.float32)]),
        np.ones(2, np.float32),
        np.zeros(2, np.int16),
        np.zeros(2, np.uint8),
    )
    assert count_masks(replace(case, tracks=true), [0], 0.9).false_tracks == 0
    mislabelled = replace(true, labels=np.ones(2, np.int16))
    alone = Tracks(*(column[1:] for column in vars(true).values()))
    assert count_masks(replace(case, tracks=alone), [0], 0.9).false_tracks == 1
    assert count_masks(replace(case, tracks=mislabelled), [0], 0.9).tracks == 0


def test_pooled_counts_add_up() -> None:
    parts = [count_masks(case, [0, 1], 0.9) for case in (video(), video("cuts"))]
    whole = pool_counts(parts)
    assert whole.exposure.object_frames == sum(p.exposure.object_frames for p in parts)
    assert whole.exposure.longest_s == max(p.exposure.longest_s for p in parts)
    assert whole.covered == sum(p.covered for p in parts) and whole.tracks == sum(p.tracks for p in parts)
    assert np.isnan(pool_counts([]).coverage) and np.isnan(pool_counts([]).false_tracks_per_h)
