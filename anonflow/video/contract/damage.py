"""Damaged frames: hidden whole in the output, and said so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from anonflow.errors import SourceError
from anonflow.storage import StoragePath
from anonflow.types import Check, FrameIndex, PlaneSet, Verdict
from anonflow.video.black import black_frame
from anonflow.video.contract.check import check
from anonflow.video.decode import decode_range
from anonflow.video.planes import plane_set

_NAME = "hidden frames"
_TOLERANCE = 8
"""Grey levels of 255 by which an encoder may miss black, at the worst sample."""


def compare_damage(source: FrameIndex, output: StoragePath, result: FrameIndex) -> tuple[Check, ...]:
    """Nothing to say of a sound source; else whether every damaged frame is black in the output, in all samples."""
    if not len(source.damaged):
        return ()
    if result.n_frames != source.n_frames:
        return (check(_NAME, False, "not where they belong"),)
    try:
        n_shown = sum(not _is_black(planes, result) for planes in _planes(source, output, result))
    except SourceError as error:
        return (check(_NAME, False, type(error).__name__),)
    if n_shown:
        return (check(_NAME, False, f"{n_shown} of {len(source.damaged)} damaged frames can be seen"),)
    return (Check(_NAME, Verdict.CHANGED_BY_POLICY, f"{len(source.damaged)} damaged frames are black"),)


def _planes(source: FrameIndex, output: StoragePath, result: FrameIndex) -> Iterator[PlaneSet]:
    """The output's pictures at the places of the source's damaged frames, run by run."""
    for run in np.split(source.damaged, np.flatnonzero(np.diff(source.damaged) > 1) + 1):
        first, last = int(result.pts[run[0]]), int(result.pts[run[-1]])
        for _, frame in decode_range(output, result, first, last + 1):
            yield plane_set(frame)


def _is_black(planes: PlaneSet, result: FrameIndex) -> bool:
    black = plane_set(black_frame(result.stream))
    tolerance = _TOLERANCE << (planes.bit_depth - 8)
    return all(
        int(np.abs(plane.astype(np.int32) - int(wanted.flat[0])).max()) <= tolerance
        for plane, wanted in zip(planes.planes, black.planes, strict=True)
    )
