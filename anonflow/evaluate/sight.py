"""What the pipeline made of a video or picture: what was found, what would be hidden. A picture is one frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from anonflow.evaluate.truth import Clock
from anonflow.picture.base import PictureInfo
from anonflow.types import Detections, FloatArray, FrameFacts, MaskPlan, Tracks
from anonflow.video.planes import boxes_to_coded


@dataclass(frozen=True, eq=False)
class Sight:
    """What the pipeline made of one item; boxes in px of the stored picture.

    `width`, `height` of the stored picture, `shown` (width, height) as it is displayed; `times_s` (n_frames,);
    `to_stored` maps boxes (n, 4) of the displayed picture.
    """

    item_id: str
    is_video: bool
    width: int
    height: int
    shown: tuple[int, int]
    times_s: NDArray[np.float64]
    end_s: float
    detections: Detections
    facts: FrameFacts
    tracks: Tracks
    plan: MaskPlan
    to_stored: Callable[[FloatArray], FloatArray]
    clock: Clock | None = None
    """Exact times, of a video."""


def sight_of_video(
    item_id: str,
    clock: Clock,
    size: tuple[int, int],
    rotation_deg: int,
    detections: Detections,
    facts: FrameFacts,
    tracks: Tracks,
    plan: MaskPlan,
) -> Sight:
    """Of a video whose coded pictures have this `size` (width, height)."""
    upright = size if rotation_deg % 180 == 0 else size[::-1]
    first, end_pts = int(clock.pts[0]), max(clock.end_pts, int(clock.pts[-1]) + 1)
    return Sight(
        item_id=item_id,
        is_video=True,
        width=size[0],
        height=size[1],
        shown=upright,
        times_s=(clock.pts - first).astype(np.float64) * float(clock.time_base),
        end_s=float((end_pts - first) * clock.time_base),
        detections=detections,
        facts=facts,
        tracks=tracks,
        plan=plan,
        to_stored=partial(boxes_to_coded, upright_size=upright, coded_size=size, rotation_deg=rotation_deg),
        clock=clock,
    )


def sight_of_picture(
    item_id: str, info: PictureInfo, detections: Detections, facts: FrameFacts, plan: MaskPlan
) -> Sight:
    """Of a still picture, which has no tracks and no time."""
    stored = (info.grid.width, info.grid.height)
    return Sight(
        item_id=item_id,
        is_video=False,
        width=stored[0],
        height=stored[1],
        shown=info.shown_size,
        times_s=np.zeros(1),
        end_s=0.0,
        detections=detections,
        facts=facts,
        tracks=Tracks.empty(),
        plan=plan,
        to_stored=partial(info.turn.boxes_to_stored, shown_size=info.shown_size, stored_size=stored),
    )
