"""What somebody decided by hand for a video, in the video's own pixels and times."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anonflow.config import AnonymizeConfig
from anonflow.mask.regions import Canvas, RegionPlan, regions_for
from anonflow.types import FrameIndex, MaskPlan
from anonflow.video.planes import chroma_shifts


def region_plan(config: AnonymizeConfig, relative_path: str, index: FrameIndex) -> RegionPlan:
    """The regions of the source at `relative_path` below the input."""
    stream = index.stream
    canvas = Canvas(stream.width, stream.height, *chroma_shifts(stream), stream.rotation_deg)
    return RegionPlan.of(regions_for(config.regions, relative_path), canvas)


def shown_s(index: FrameIndex, number: int) -> tuple[float, float]:
    """When a frame begins and ends, since the video's first; exact but for one rounding, so 0.1 is a file's 0.1."""
    end_pts = int(index.pts[number + 1]) if number + 1 < index.n_frames else index.end_pts
    begin, end = ((pts - int(index.pts[0])) * index.time_base for pts in (int(index.pts[number]), end_pts))
    return float(begin), float(end)


def hidden_frames(plan: MaskPlan, regions: RegionPlan, index: FrameIndex) -> NDArray[np.bool_]:
    """Which frames (n,) have anything hidden in them. True also where a kept region may leave nothing of it."""
    is_hidden: NDArray[np.bool_] = np.zeros(index.n_frames, np.bool_)
    is_hidden[plan.frames] = True
    if regions.hide or regions.process:
        for number in range(index.n_frames):
            by_hand = regions.at(*shown_s(index, number))
            is_hidden[number] = bool(by_hand.hide) or (by_hand.is_processed and bool(is_hidden[number]))
    is_hidden[index.damaged] = True
    return is_hidden
