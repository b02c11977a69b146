"""What a mask plan leaks: which objects are seen, for how long, how often it flickers, how much it hides in vain.

A video leaks by the one frame in which an object was missed, so shares of frames are not enough: whether an
object was ever seen, and for how long at a stretch, is what makes somebody recognisable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anonflow.evaluate.areas import Reals, covered_shares, union_areas
from anonflow.evaluate.truth import Truth, clipped
from anonflow.types import MaskPlan

COVERED_SHARE = 0.9
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Exposure:
    """Counts and sums of one scene or of several; the metrics are ratios of them."""

    object_frames: int
    """Objects times the frames in which they are to be seen."""
    leaking_frames: int
    objects: int
    leaked_objects: int
    """Objects that leak in one frame at least."""
    longest_s: float
    """The longest time for which one object leaks without a break."""
    leaking_s: float
    changes: int
    """How often an object turns from covered to leaking or back between neighbouring frames."""
    presence_s: float
    """Time in which objects are to be seen, summed over objects."""
    over_mask_frames: float
    """Sum over frames of the share of the picture that is under masks but in no true box."""
    frames: int

    @property
    def leak_share(self) -> float:
        """Share of the object-frames that leak."""
        return _ratio(self.leaking_frames, self.object_frames)

    @property
    def leaked_object_share(self) -> float:
        """Share of the objects that ever leak."""
        return _ratio(self.leaked_objects, self.objects)

    @property
    def flicker_per_min(self) -> float:
        """Changes a minute of an object's presence."""
        return _ratio(60 * self.changes, self.presence_s)

    @property
    def over_mask_share(self) -> float:
        """Mean share of the picture that is hidden in vain."""
        return _ratio(self.over_mask_frames, self.frames)


def exposure(
    truth: Truth, plan: MaskPlan, covered_share: float = COVERED_SHARE, min_visible: float = 0.0
) -> Exposure:
    """What `plan` leaks of `truth`.

    An object leaks in a frame if less than `covered_share` of its box, clipped to the picture, lies under the
    union of the frame's masks, whatever their labels. Frames in which a share of the object of at most
    `min_visible` can be seen do not count, nor do they lie within an exposure: they end it. Raises ValueError
    for a plan that names frames which the video does not have.
    """
    leaking = leaks(truth, plan, covered_share)
    rows = np.flatnonzero(truth.visible > min_visible)
    rows = rows[np.lexsort((truth.frames[rows], truth.object_ids[rows]))]
    frames, ids, leaking = truth.frames[rows], truth.object_ids[rows], leaking[rows]
    goes_on = (np.diff(ids) == 0) & (np.diff(frames) == 1)
    starts = leaking & ~np.append(False, goes_on & leaking[:-1])[: len(rows)]
    stops = leaking & ~np.append(goes_on & leaking[1:], False)[: len(rows)]
    shown_s = truth.durations_s[frames]
    runs_s = truth.times_s[frames[stops]] + shown_s[stops] - truth.times_s[frames[starts]]
    return Exposure(
        object_frames=len(rows),
        leaking_frames=int(leaking.sum()),
        objects=len(np.unique(ids)),
        leaked_objects=len(np.unique(ids[leaking])),
        longest_s=float(runs_s.max(initial=0.0)),
        leaking_s=float(shown_s[leaking].sum()),
        changes=int((goes_on & (leaking[1:] != leaking[:-1])).sum()),
        presence_s=float(shown_s.sum()),
        over_mask_frames=float(over_mask_areas(truth, plan).sum() / (truth.width * truth.height)),
        frames=truth.n_frames,
    )


def leaks(truth: Truth, plan: MaskPlan, covered_share: float = COVERED_SHARE) -> NDArray[np.bool_]:
    """Which rows (n,) of the truth are covered by less than `covered_share`, hidden objects included."""
    plan = _sorted(truth, plan)
    shares = covered_shares(truth.frames, truth.xyxy.astype(np.float64), plan.frames, plan.xyxy.astype(np.float64))
    below: NDArray[np.bool_] = shares < covered_share - _ROUNDING
    return below


def over_mask_areas(truth: Truth, plan: MaskPlan) -> Reals:
    """Area (n_frames,) in px under each frame's masks that lies in no true box."""
    plan = _sorted(truth, plan)
    masks = clipped(plan.xyxy.astype(np.float64), truth.width, truth.height)
    true = truth.xyxy.astype(np.float64)
    # What masks and true boxes cover together, less what the true boxes cover.
    together = union_areas(
        np.concatenate((plan.frames, truth.frames)), np.concatenate((masks, true)), truth.n_frames
    )
    return np.maximum(together - union_areas(truth.frames, true, truth.n_frames), 0.0)


def pool(exposures: Sequence[Exposure]) -> Exposure:
    """Several scenes as one: sums, and the longest of the longest."""
    return Exposure(
        object_frames=sum(e.object_frames for e in exposures),
        leaking_frames=sum(e.leaking_frames for e in exposures),
        objects=sum(e.objects for e in exposures),
        leaked_objects=sum(e.leaked_objects for e in exposures),
        longest_s=max((e.longest_s for e in exposures), default=0.0),
        leaking_s=sum(e.leaking_s for e in exposures),
        changes=sum(e.changes for e in exposures),
        presence_s=sum(e.presence_s for e in exposures),
        over_mask_frames=sum(e.over_mask_frames for e in exposures),
        frames=sum(e.frames for e in exposures),
    )


def _sorted(truth: Truth, plan: MaskPlan) -> MaskPlan:
    if len(plan) and not (plan.frames.min() >= 0 and plan.frames.max() < truth.n_frames):
        raise ValueError(f"The plan masks frames outside of the video, which has {truth.n_frames}.")
    return plan[np.argsort(plan.frames, kind="stable")]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
