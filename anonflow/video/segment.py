"""Reading a segment back: its packets and what their timestamps say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

import av
import av.container
import av.error
import numpy as np
from numpy.typing import NDArray

from anonflow.errors import FidelityError
from anonflow.storage import StoragePath
from anonflow.types import IntArray
from anonflow.video.reading import reading


@dataclass(frozen=True, eq=False)
class Segment:
    """A segment and the timestamps of its packets, in decode order, in units of its own `time_base`."""

    path: StoragePath
    pts: IntArray
    time_base: Fraction
    extradata: bytes
    keyframe: NDArray[np.bool_]

    @property
    def n_frames(self) -> int:
        """Number of packets, one a frame."""
        return len(self.pts)

    @property
    def display_rank(self) -> IntArray:
        """Position of each packet's frame in display order."""
        return np.argsort(np.argsort(self.pts)).astype(np.int64)

    @property
    def reorder_depth(self) -> int:
        """Largest number of frames by which decoding runs ahead of display."""
        return int(np.max(np.argsort(self.pts) - np.arange(self.n_frames), initial=0))

    def matches(self, pts: IntArray, time_base: Fraction) -> bool:
        """Whether the frames have exactly these timestamps, up to one shift of all."""
        if self.n_frames != len(pts) or not len(pts):
            return False
        ratio = time_base / self.time_base
        shifted = np.sort(self.pts) - self.pts.min()
        return np.array_equal(shifted * ratio.denominator, (pts - pts[0]) * ratio.numerator)


@contextmanager
def open_segment(path: StoragePath) -> Iterator[av.container.InputContainer]:
    """Open a segment that `SegmentWriter` wrote.

    Raises:
        FidelityError: it is missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            is_mov = file.read(8)[4:] == b"ftyp"
    except OSError as error:
        raise _unreadable(path) from error
    with reading(path) as opened:
        try:
            container = av.open(opened, "r", format="mov" if is_mov else "nut")
        except av.error.FFmpegError as error:
            raise _unreadable(path) from error
        with container:
            yield container


def _unreadable(path: StoragePath) -> FidelityError:
    return FidelityError(f"Segment {path} cannot be read: remove it and run again.")


def read_segment(path: StoragePath) -> Segment:
    """Read the timestamps of all packets of a segment."""
    with open_segment(path) as container:
        stream = container.streams.video[0]
        packets = [(packet.pts, packet.is_keyframe) for packet in container.demux(stream) if packet.size]
        pts = [pts for pts, _ in packets]
        if None in pts or stream.time_base is None:
            raise FidelityError(f"Segment {path} has frames without timestamps: remove it and run again.")
        return Segment(
            path,
            np.array(pts, np.int64),
            stream.time_base,
            bytes(stream.codec_context.extradata or b""),
            np.array([is_keyframe for _, is_keyframe in packets], np.bool_),
        )


def decode_segment(path: StoragePath) -> Iterator[av.VideoFrame]:
    """The frames of a segment in display order, on one thread."""
    depth = read_segment(path).reorder_depth
    with open_segment(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.reorder_depth = depth
        try:
            yield from container.decode(stream)
        except av.error.FFmpegError as error:
            raise FidelityError(f"Segment {path} cannot be decoded: remove it and run again.") from error
