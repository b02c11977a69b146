"""What frames carry beside their picture: captions and user data never pass, the rest by name."""

from __future__ import annotations

from anonflow.types import Check, StreamFormat, Verdict
from anonflow.video.contract.check import check

FORBIDDEN = {"a53 cc", "sei unregistered", "dovi rpu buffer", "dovi metadata", "gop timecode", "s12m timecode"}
"""Text, free bytes, times of day, and Dolby Vision data that belong to the picture as it was."""


def compare_side_data(source: StreamFormat, result: StreamFormat) -> Check:
    """By the names on the first frames; stereo packing and the like pass where the encoder writes them."""
    if found := FORBIDDEN.intersection(result.side_data):
        return check("side data", False, "left: " + ", ".join(sorted(found)))
    if removed := sorted(set(source.side_data) - set(result.side_data)):
        return Check("side data", Verdict.CHANGED_BY_POLICY, "removed: " + ", ".join(removed))
    return check("side data", True, ", ".join(result.side_data) or "none")
