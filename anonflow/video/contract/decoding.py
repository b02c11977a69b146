"""Whether the output decodes to its end without a complaint."""

from __future__ import annotations

from pathlib import Path

from anonflow.errors import SourceError
from anonflow.types import Check, FrameIndex
from anonflow.video.contract.check import check
from anonflow.video.contract.sidedata import FORBIDDEN
from anonflow.video.decode import decode_range
from anonflow.video.logs import captured_warnings
from anonflow.video.sidedata import side_data_names


def check_decoding(output: Path, result: FrameIndex) -> tuple[Check, ...]:
    """Decode every frame; a warning is as bad as an error. No frame may carry captions or user data."""
    n_frames, left = 0, set[str]()
    with captured_warnings() as lines:
        try:
            for _, frame in decode_range(output, result, int(result.pts[0]), result.end_pts):
                n_frames += 1
                left |= FORBIDDEN.intersection(side_data_names(frame))
        except SourceError as error:
            return (check("decodes", False, type(error).__name__),)
    return (
        check("decodes", not lines, f"{n_frames} frames, {len(lines)} warnings"),
        check("captions and user data", not left, ", ".join(sorted(left)) or "none"),
    )
