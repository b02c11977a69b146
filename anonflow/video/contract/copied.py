"""Copied groups of pictures beside encoded ones: whether a decoder takes both from one stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import av
import numpy as np

from anonflow.errors import FidelityError, SourceError
from anonflow.storage import StoragePath
from anonflow.types import Check, FrameIndex, Verdict
from anonflow.video.contract.check import check
from anonflow.video.copying import Run, encoded_between
from anonflow.video.decode import decode_range
from anonflow.video.planes import plane_set
from anonflow.video.probe import probe
from anonflow.video.segment import decode_segment, read_segment

_NAME = "copied groups"
_FRAMES = 12
"""Of each segment are compared. It goes on as it begins: one encoder made it."""


def compare_copied(
    source: StoragePath,
    index: FrameIndex,
    output: StoragePath,
    runs: Sequence[Run],
    segments: Sequence[StoragePath],
) -> Check:
    """Copied frames must decode to the source's pictures, and every segment to what it is alone, bit for bit."""
    copied = [run for run in runs if run.is_copied]
    if not copied:
        return check(_NAME, True, "none")
    try:
        result = probe(output)
        same = all(_equal(_frames(source, index, run), _frames(output, result, run)) for run in copied)
        same &= _segments_equal(output, result, runs, segments)
    except (SourceError, FidelityError) as error:
        return check(_NAME, False, type(error).__name__)
    detail = f"{sum(run.n_frames for run in copied)} frames in {len(copied)} runs"
    return Check(_NAME, Verdict.EQUAL if same else Verdict.BROKEN, detail)


def _frames(path: StoragePath, index: FrameIndex, run: Run) -> Iterator[av.VideoFrame]:
    stop = run.stop_frame
    stop_pts = int(index.pts[stop]) if stop < index.n_frames else index.end_pts
    return (frame for _, frame in decode_range(path, index, int(index.pts[run.start_frame]), stop_pts))


def _segments_equal(
    output: StoragePath, result: FrameIndex, runs: Sequence[Run], segments: Sequence[StoragePath]
) -> bool:
    """The first frames of each segment, which holds the next encoded ones; without any it is an empty file."""
    encoded = [
        n for run in encoded_between(runs, 0, result.n_frames) for n in range(run.start_frame, run.stop_frame)
    ]
    n_before = 0
    for path in (path for path in segments if path.stat().st_size):
        n_frames = read_segment(path).n_frames
        mine = encoded[n_before : n_before + min(n_frames, _FRAMES)]
        in_a_row = sum(1 for offset, n in enumerate(mine) if n == mine[0] + offset)
        run = Run(mine[0], mine[0] + in_a_row, is_copied=False)
        if not _equal(islice(decode_segment(path), in_a_row), _frames(output, result, run)):
            return False
        n_before += n_frames
    return True


def _equal(first: Iterator[av.VideoFrame], second: Iterator[av.VideoFrame]) -> bool:
    return all(
        all(np.array_equal(x, y) for x, y in zip(plane_set(a).planes, plane_set(b).planes, strict=True))
        for a, b in zip(first, second, strict=True)
    )
