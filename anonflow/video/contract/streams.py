"""Streams that are neither the video nor its sound."""

from __future__ import annotations

from anonflow.types import Check, FrameIndex, Verdict
from anonflow.video.contract.check import check


def compare_streams(source: FrameIndex, result: FrameIndex) -> Check:
    """The output has one video stream, the audio streams, and nothing else."""
    if result.removed_streams:
        return check("other streams", False, ", ".join(result.removed_streams))
    if source.removed_streams:
        return Check("other streams", Verdict.CHANGED_BY_POLICY, "removed: " + ", ".join(source.removed_streams))
    return check("other streams", True, "none")
