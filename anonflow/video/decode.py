"""Decoding a range of frames exactly as one pass over the whole file would, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise
from typing import cast

import av
import av.container
import av.error
import av.logging
import av.packet
import av.stream
import av.video
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from anonflow.errors import DamagedVideoError, UnsupportedFormatError
from anonflow.storage import StoragePath
from anonflow.types import FrameIndex
from anonflow.video.black import black_frame
from anonflow.video.container import open_source
from anonflow.video.logs import captured_warnings
from anonflow.video.seek import Packet, packets_from, rank_at, rank_of, through_rank, video_position
from anonflow.video.watchdog import one_step

_DECODER_OPTIONS = {"err_detect": "crccheck+bitstream+buffer+careful+explode"}
"""Checksums are compared, and errors that a decoder would conceal by inventing a picture become exceptions."""


class BrokenFrameError(Exception):
    """A frame is missing, comes twice, or cannot be decoded: the one with this decode rank, or one just before."""

    def __init__(self, rank: int, what: str) -> None:
        """Say which frame, and what is wrong."""
        super().__init__(what)
        self.rank = rank


def decode_range(
    path: StoragePath, index: FrameIndex, start_pts: int, stop_pts: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield `(pts, frame)` for exactly the frames with `start_pts <= pts < stop_pts`, in display order.

    Bit-identical to a linear decode of the file, wherever the range starts. Without more threads than one: what a
    decoder makes of a damaged file depends on their number. Frames that the index calls damaged are black; they are
    not decoded, and behind them a fresh decoder begins.

    Raises:
        DamagedVideoError: another frame is missing, extra, undecodable or marked corrupt. Frames that were yielded
            before must not be published either.
        UnsupportedFormatError: the size or pixel format changes within the video.
    """
    first, last = (int(place) for place in np.searchsorted(index.pts, [start_pts, stop_pts]))
    for start, stop, is_damaged in _runs(index, first, last):
        if is_damaged:
            yield from _black_frames(index, start, stop)
            continue
        try:
            yield from sound_frames(path, index, start, stop)
        except BrokenFrameError as error:
            raise DamagedVideoError(
                f"{path} is damaged, {error}: copy the file again from where it was recorded."
            ) from error


def sound_frames(
    path: StoragePath, index: FrameIndex, first: int, last: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """The frames with display indices `first` to before `last`, decoded; no frame between them may be damaged.

    Raises:
        BrokenFrameError: at the first frame that is not as it should be, when all before it were given.
        UnsupportedFormatError: see `decode_range`.
    """
    start_pts, stop_pts = int(index.pts[first]), int(index.pts[last - 1])
    place = first
    for frame in _decode(path, index, first, last):
        if frame.pts is None or not start_pts <= frame.pts <= stop_pts:
            continue
        if place >= last or frame.pts != index.pts[place]:
            raise BrokenFrameError(rank_at(index, min(place, last - 1)), "a frame is missing or comes twice")
        if frame.is_corrupt:
            raise BrokenFrameError(rank_at(index, place), "a frame is corrupt")
        check_format(frame, path, index)
        yield frame.pts, frame
        place += 1
    if place < last:
        raise BrokenFrameError(rank_at(index, place), "a frame is missing")


def _runs(index: FrameIndex, first: int, last: int) -> Iterator[tuple[int, int, bool]]:
    """The frames from `first` to before `last` as runs that are sound or damaged."""
    is_damaged = np.zeros(last - first, np.bool_)
    is_damaged[index.damaged[slice(*np.searchsorted(index.damaged, [first, last]))] - first] = True
    starts = [0, *(np.flatnonzero(np.diff(is_damaged)) + 1).tolist(), last - first]
    for start, stop in pairwise(starts):
        if start < stop:
            yield first + start, first + stop, bool(is_damaged[start])


def _black_frames(index: FrameIndex, first: int, last: int) -> Iterator[tuple[int, av.VideoFrame]]:
    for pts in index.pts[first:last].tolist():
        frame = black_frame(index.stream)
        frame.pts, frame.time_base = pts, index.time_base
        yield pts, frame


def _decode_packet(context: VideoCodecContext, packet: Packet | None) -> tuple[list[av.VideoFrame], bool]:
    """The frames that come out when the packet goes in (None drains the decoder), and whether it complains.

    Of some damage FFmpeg only writes a line: a wrong checksum of FFV1 is an error to it, but no failure.
    """
    with captured_warnings() as lines, one_step():
        try:
            frames = context.decode(cast("av.Packet[VideoStream] | None", packet))
        except av.error.FFmpegError:
            return [], True
    return frames, any(level <= av.logging.ERROR for level, _, _ in lines)


def _decode(path: StoragePath, index: FrameIndex, first: int, last: int) -> Iterator[av.VideoFrame]:
    last_rank = int(index.decode_rank[first:last].max())
    start_pts, rank = int(index.pts[first]), 0
    with open_source(path) as container:
        stream = container.streams.video[video_position(container, index)]
        context = stream.codec_context
        context.thread_count = 1
        context.options = _DECODER_OPTIONS
        packets = packets_from(path, container, stream, index, first)
        # Known from the index; guessing it from the stream loses frames of H.264 without VUI. After the seek,
        # because that resets the decoder.
        context.reorder_depth = index.reorder_depth
        for packet in chain(through_rank(packets, index, last_rank), [None]):
            frames, complains = _decode_packet(context, packet)
            if packet is not None:
                known = -1 if packet.pts is None else rank_of(index, packet.pts)
                rank = known if known >= 0 else min(rank + 1, last_rank)
                complains |= packet.is_corrupt
            yield from frames
            # Before the range the decoder may miss references that lie before the keyframe where it began. A frame
            # that is really broken there is refused by the chunk that owns it.
            if complains and (packet is None or packet.pts is None or packet.pts >= start_pts):
                if packet is not None:
                    yield from _decode_packet(context, None)[0]
                raise BrokenFrameError(rank, "a frame cannot be decoded")


def check_format(frame: av.VideoFrame, path: StoragePath, index: FrameIndex) -> None:
    """Raise UnsupportedFormatError unless the frame has the size and pixel format of the whole video."""
    expected = index.stream
    if (frame.width, frame.height, frame.format.name) != (expected.width, expected.height, expected.pixel_format):
        raise UnsupportedFormatError(
            f"{path} changes its picture size or pixel format on the way, which is not supported: "
            "split it where it changes, or re-encode it to one size."
        )
