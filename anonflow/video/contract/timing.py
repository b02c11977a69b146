"""Frames and their times: the same, as exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from anonflow.types import Check, FrameIndex, Verdict
from anonflow.video.contract.check import TICK_S, check


def compare_timing(source: FrameIndex, result: FrameIndex, shift_pts: int = 0) -> tuple[Check, ...]:
    """Number of frames, their timestamps, and the end of the last one; all `shift_pts` ticks later by policy."""
    ends_s = [(source.end_pts + shift_pts) * source.time_base, result.end_pts * result.time_base]
    same_end = abs(ends_s[0] - ends_s[1]) <= _end_tolerance_s(source, result)
    return (
        check("frames", source.n_frames == result.n_frames, f"{source.n_frames} and {result.n_frames}"),
        _timestamps(source, result, shift_pts),
        check("duration", same_end, f"{float(ends_s[0]):.3f} s"),
    )


def _timestamps(source: FrameIndex, result: FrameIndex, shift_pts: int) -> Check:
    """A start before zero, which containers don't keep, moves all streams together."""
    same = _equal_times(source, result, shift_pts)
    if shift_pts and same:
        detail = f"all {shift_pts} ticks of {source.time_base} s later, to start at zero"
        return Check("timestamps", Verdict.CHANGED_BY_POLICY, detail)
    return check("timestamps", same)


def _end_tolerance_s(source: FrameIndex, result: FrameIndex) -> Fraction:
    """How far the ends may lie apart while all timestamps are equal.

    Only the last frame's duration can differ. With B-frames MP4 does not store it: its sample durations are steps
    in decode order, so the last frame shown may have that of any other.
    """
    if not source.reorder_depth and not result.reorder_depth:
        return TICK_S
    return TICK_S + int(np.diff(source.pts).max(initial=0)) * source.time_base


def _equal_times(source: FrameIndex, result: FrameIndex, shift_pts: int) -> bool:
    """Compared as fractions of a second: integers after both are multiplied by the other's denominator."""
    ratio = source.time_base / result.time_base
    return source.n_frames == result.n_frames and bool(
        np.array_equal((source.pts + shift_pts) * ratio.numerator, result.pts * ratio.denominator)
    )
