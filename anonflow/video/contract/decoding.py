"""Whether the output decodes to its end without a complaint."""

from __future__ import annotations

from pathlib import Path

from anonflow.errors import SourceError
from anonflow.types import Check, FrameIndex
from anonflow.video.contract.check import check
from anonflow.video.decode import decode_range
from anonflow.video.logs import captured_warnings


def check_decoding(output: Path, result: FrameIndex) -> Check:
    """Decode every frame; a warning of the decoder is as bad as an error."""
    with captured_warnings() as lines:
        try:
            n_frames = sum(1 for _ in decode_range(output, result, int(result.pts[0]), result.end_pts))
        except SourceError as error:
            return check("decodes", False, type(error).__name__)
    return check("decodes", not lines, f"{n_frames} frames, {len(lines)} warnings")
