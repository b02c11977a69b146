"""Reading files of the corpus for comparison."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from anonflow.types import FrameIndex
from anonflow.video.decode import decode_range

Frames = list[tuple[int, bytes]]


def content(frame: av.VideoFrame) -> bytes:
    """All samples of all planes, without the padding of their lines."""
    parts = []
    for plane, component in zip(frame.planes, frame.format.components, strict=False):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        parts.append(rows[:, : plane.width * (2 if component.bits > 8 else 1)].tobytes())
    return b"".join(parts)


def linear(path: Path) -> Frames:
    """The frames of the best video stream as a plain decode of the whole file gives them."""
    with av.open(f"file:{path}", metadata_errors="replace") as container:
        stream = container.streams.best("video")
        assert stream is not None
        stream.codec_context.thread_count = 1
        return [(f.pts, content(f)) for f in container.decode(stream)]


def ends(index: FrameIndex) -> list[int]:
    """Timestamps of all frames, and the end of the last one."""
    return [*index.pts.tolist(), max(index.end_pts, int(index.pts[-1]) + 1)]


def in_range(path: Path, index: FrameIndex, start: int, stop: int) -> Frames:
    """The frames from `start` to before `stop` (display indices)."""
    limits = ends(index)
    return [(pts, content(frame)) for pts, frame in decode_range(path, index, limits[start], limits[stop])]


def cuts(n_frames: int, seed: object) -> Iterator[tuple[int, int]]:
    """Chunks of random sizes that tile a video."""
    chance, start = random.Random(str(seed)), 0
    while start < n_frames:
        stop = min(n_frames, start + chance.randint(1, 12))
        yield start, stop
        start = stop
