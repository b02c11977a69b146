"""The clean aperture of MP4 and MOV: gone, so that the whole picture is shown, and said so."""

from __future__ import annotations

from anonflow.storage import StoragePath
from anonflow.types import Check, FrameIndex, Verdict
from anonflow.video.aperture import Aperture, read_aperture
from anonflow.video.contract.check import check

_NAME = "clean aperture"


def compare_aperture(source: StoragePath, index: FrameIndex, output: StoragePath, result: FrameIndex) -> Check:
    """Outputs have none; what a player showed of a source with one is a part of what it shows of the output."""
    before, after = _aperture(source, index), _aperture(output, result)
    if after is not None:
        return check(_NAME, before == after, str(after))
    if before is not None:
        return Check(_NAME, Verdict.CHANGED_BY_POLICY, f"removed: {before} was shown")
    return check(_NAME, True, "none")


def _aperture(path: StoragePath, index: FrameIndex) -> Aperture | None:
    return read_aperture(path) if "mp4" in index.container else None
