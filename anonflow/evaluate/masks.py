"""What the masks of one picture or video leave to be seen, by label, as counts that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from anonflow.evaluate.areas import Reals, covered_shares
from anonflow.evaluate.case import Case
from anonflow.evaluate.exposure import Exposure, exposure, leaks, over_mask_areas, pool
from anonflow.evaluate.match import Flags, iou
from anonflow.evaluate.truth import Truth
from anonflow.types import IntArray

FALSE_TRACK_IOU = 0.1
"""A track is false if no point of it overlaps a true box of its label by so much."""


@dataclass(frozen=True)
class MaskCounts:
    """Of one item, or of several."""

    exposure: Exposure
    covered: float
    """Sum over object-frames of the share of the object's box that is under masks."""
    missed_objects: int
    """Objects that leak in every frame."""
    tracks: int
    false_tracks: int
    video_s: float
    video_object_frames: int

    @property
    def coverage(self) -> float:
        """Mean share of an object's area that is hidden; NaN without objects."""
        return self.covered / self.exposure.object_frames if self.exposure.object_frames else float("nan")

    @property
    def false_tracks_per_h(self) -> float:
        """False tracks an hour of video; NaN without video."""
        return 3600 * self.false_tracks / self.video_s if self.video_s else float("nan")


def count_masks(case: Case, codes: Sequence[int], covered_share: float) -> MaskCounts:
    """What is left of the objects with those label `codes`; any mask may hide them, only theirs can be in vain."""
    truth = case.scene.truth
    rows = counted_rows(case, codes)
    of_these = subset(truth, rows)
    whole = exposure(of_these, case.plan, covered_share)
    own = case.plan[np.flatnonzero(np.isin(case.plan.labels, codes))]
    in_vain = over_mask_areas(truth, own).sum() / (truth.width * truth.height)
    if not case.is_video:
        whole = replace(whole, longest_s=0.0, leaking_s=0.0, presence_s=0.0, changes=0)
    leaking = leaks(of_these, case.plan, covered_share)
    seen_hidden = np.unique(of_these.object_ids[~leaking])
    n_tracks, n_false = _false_tracks(case, codes) if case.is_video else (0, 0)
    return MaskCounts(
        exposure=replace(whole, over_mask_frames=float(in_vain)),
        covered=float(coverage(case)[rows].sum()),
        missed_objects=whole.objects - len(seen_hidden),
        tracks=n_tracks,
        false_tracks=n_false,
        video_s=case.duration_s,
        video_object_frames=len(rows) if case.is_video else 0,
    )


def pool_counts(parts: Sequence[MaskCounts]) -> MaskCounts:
    """Several items as one."""
    sums = {
        f.name: sum(getattr(part, f.name) for part in parts) for f in fields(MaskCounts) if f.name != "exposure"
    }
    return MaskCounts(exposure=pool([part.exposure for part in parts]), **sums)


def counted_rows(case: Case, codes: Sequence[int]) -> IntArray:
    """Rows of the truth with those labels that are to be judged."""
    return np.flatnonzero(np.isin(case.scene.truth.labels, codes) & ~case.ignored)


def coverage(case: Case) -> Reals:
    """Share (n,) of each true box that is under masks."""
    truth, plan = case.scene.truth, case.plan
    order = np.argsort(plan.frames, kind="stable")
    masks = plan.xyxy[order].astype(np.float64)
    return covered_shares(truth.frames, truth.xyxy.astype(np.float64), plan.frames[order], masks)


def subset(truth: Truth, rows: IntArray) -> Truth:
    """The same video with some of the rows, all of them to be seen."""
    return replace(
        truth,
        frames=truth.frames[rows],
        object_ids=truth.object_ids[rows],
        xyxy=truth.xyxy[rows],
        labels=truth.labels[rows],
        visible=np.ones(len(rows), np.float32),
    )


def _false_tracks(case: Case, codes: Sequence[int]) -> tuple[int, int]:
    """Number of tracks with these labels, and of those that never touch an object (an ignored one is one)."""
    truth, tracks = case.scene.truth, case.tracks
    tracks = tracks[np.flatnonzero(np.isin(tracks.labels, codes))]
    true: Flags = np.zeros(len(tracks), np.bool_)
    for frame in np.intersect1d(tracks.frames, truth.frames).tolist():
        here, there = np.flatnonzero(tracks.frames == frame), np.flatnonzero(truth.frames == frame)
        shared = iou(tracks.xyxy[here].astype(np.float64), truth.xyxy[there].astype(np.float64))
        same = tracks.labels[here][:, None] == truth.labels[there][None, :]
        true[here] = ((shared >= FALSE_TRACK_IOU) & same).any(axis=1)
    names = np.unique(tracks.track_ids)
    return len(names), len(np.setdiff1d(names, tracks.track_ids[true]))
