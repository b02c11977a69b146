"""Cutting a video into chunks: half-open ranges of timestamps that tile it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from anonflow.types import Chunk, FrameIndex

_TOLERANCE = Fraction(1, 4)
"""Share of the chunk length by which a cut may move to a keyframe, and below which a rest is no chunk."""


def plan_chunks(index: FrameIndex, length_s: float, overlap_frames: int) -> tuple[Chunk, ...]:
    """Chunks of about `length_s` seconds whose owned ranges tile the video.

    A cut goes to the nearest keyframe within a quarter of the length (reading from there costs no lead-in), else to
    the next frame. A rest shorter than a quarter joins the last chunk. The last `stop_pts` is the video's end.
    """
    starts = _starts(index, max(1, round(Fraction(length_s) / index.time_base)))
    stops = [*starts[1:], index.n_frames]
    end_pts = max(index.end_pts, int(index.pts[-1]) + 1)
    boundaries = [*(int(index.pts[frame]) for frame in starts), end_pts]
    leads = [max(0, start - overlap_frames) for start in starts]
    return tuple(
        Chunk(
            index=number,
            lead_pts=int(index.pts[leads[number]]),
            start_pts=boundaries[number],
            stop_pts=boundaries[number + 1],
            lead_frame=leads[number],
            start_frame=starts[number],
            stop_frame=stops[number],
        )
        for number in range(len(starts))
    )


def _starts(index: FrameIndex, length_pts: int) -> list[int]:
    """Display index of the first frame of each chunk."""
    slack_pts = int(length_pts * _TOLERANCE)
    latest_pts = index.end_pts - slack_pts
    starts = [0]
    while (cut := _next_start(index, starts[-1], length_pts, slack_pts, latest_pts)) is not None:
        starts.append(cut)
    return starts


def _next_start(index: FrameIndex, start: int, length_pts: int, slack_pts: int, latest_pts: int) -> int | None:
    ideal_pts = int(index.pts[start]) + length_pts
    low = max(start + 1, int(np.searchsorted(index.pts, ideal_pts - slack_pts)))
    high = int(np.searchsorted(index.pts, min(ideal_pts + slack_pts, latest_pts), side="right"))
    keyframes = low + np.flatnonzero(index.keyframe[low:high])
    if len(keyframes):
        distance = np.abs(index.pts[keyframes] - ideal_pts)
        return int(keyframes[np.argmin(distance)])
    cut = int(np.searchsorted(index.pts, ideal_pts))
    return cut if cut < index.n_frames and index.pts[cut] <= latest_pts else None
