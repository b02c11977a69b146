"""Decoding a range of frames exactly as one pass over the whole file would, or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TypeAlias, cast

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
from anonflow.types import FrameIndex
from anonflow.video.black import black_frame
from anonflow.video.container import open_source
from anonflow.video.keyframe import starts_clean
from anonflow.video.logs import captured_warnings
from anonflow.video.probe import is_presented
from anonflow.video.watchdog import one_step, stepwise

_MAX_SEEKS = 4
"""Seeks that are tried, each one keyframe earlier, before the file is read from its beginning."""

_DECODER_OPTIONS = {"err_detect": "crccheck+bitstream+buffer+careful+explode"}
"""Checksums are compared, and errors that a decoder would conceal by inventing a picture become exceptions."""

Packet: TypeAlias = "av.Packet[av.stream.Stream]"


def decode_range(
    path: Path, index: FrameIndex, start_pts: int, stop_pts: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield `(pts, frame)` for exactly the frames with `start_pts <= pts < stop_pts`, in display order.

    Bit-identical to a linear decode of the file, wherever the range starts. Without more threads than one: what a
    decoder makes of a damaged file depends on their number. Frames that the index calls damaged come out black,
    whatever the decoder made of them, and need not come out of it at all.

    Raises:
        DamagedVideoError: another frame is missing, extra, undecodable or marked corrupt. Frames that were yielded
            before must not be published either.
        UnsupportedFormatError: the size or pixel format changes within the video.
    """
    first, last = (int(place) for place in np.searchsorted(index.pts, [start_pts, stop_pts]))
    damaged = _Damaged(index, first, last)
    expected = deque(index.pts[first:last].tolist())
    for frame in _decode(path, index, first, last, damaged):
        if frame.pts is None or not start_pts <= frame.pts < stop_pts or damaged.covers(frame.pts):
            continue
        yield from damaged.take_from(expected)
        if not expected or frame.pts != expected.popleft():
            raise _damaged(path, "a frame is missing or comes twice")
        if frame.is_corrupt:
            raise _damaged(path, "a frame is corrupt")
        check_format(frame, path, index)
        yield frame.pts, frame
    yield from damaged.take_from(expected)
    if expected:
        raise _damaged(path, "a frame is missing")


class _Damaged:
    """The damaged frames of a range, which are replaced."""

    def __init__(self, index: FrameIndex, first: int, last: int) -> None:
        self._index = index
        inside = slice(*np.searchsorted(index.damaged, [first, last]))
        self._pts = set(index.pts[index.damaged[inside]].tolist())

    def covers(self, pts: int) -> bool:
        """Whether a frame with this timestamp is damaged, or belongs to no frame and comes beside damaged ones."""
        if pts in self._pts or not self._pts:
            return pts in self._pts
        place = int(np.searchsorted(self._index.pts, pts))
        beside = self._index.pts[max(0, place - 1) : place + 1].tolist()
        return pts not in beside and not self._pts.isdisjoint(beside)

    def take_from(self, expected: deque[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        """Black pictures for the damaged frames at the beginning of `expected`, which lose them."""
        while expected and expected[0] in self._pts:
            frame = black_frame(self._index.stream)
            frame.pts, frame.time_base = expected[0], self._index.time_base
            yield expected.popleft(), frame


def decode_packet(context: VideoCodecContext, packet: Packet | None) -> tuple[list[av.VideoFrame], bool]:
    """The frames that come out when the packet goes in (None drains the decoder), and whether it complains.

    Of some damage FFmpeg only writes a line: a wrong checksum of FFV1 is an error to it, but no failure.
    """
    with captured_warnings() as lines, one_step():
        try:
            frames = context.decode(cast("av.Packet[VideoStream] | None", packet))
        except av.error.FFmpegError:
            return [], True
    return frames, any(level <= av.logging.ERROR for level, _, _ in lines)


def configure(context: VideoCodecContext, index: FrameIndex) -> None:
    """Let the decoder be exact and strict. Seeking resets `reorder_depth`."""
    context.thread_count = 1
    context.options = _DECODER_OPTIONS
    # Known from the index; guessing it from the stream loses frames of H.264 without VUI.
    context.reorder_depth = index.reorder_depth


def _decode(path: Path, index: FrameIndex, first: int, last: int, damaged: _Damaged) -> Iterator[av.VideoFrame]:
    if first == last:
        return
    last_rank = int(index.decode_rank[first:last].max())
    with open_source(path) as container:
        stream = container.streams.video[video_position(container, index)]
        context = stream.codec_context
        packets = _packets_from(container, stream, index, first)
        configure(context, index)
        for packet in chain(_through_rank(packets, index, last_rank), [None]):
            frames, complains = decode_packet(context, packet)
            if complains and not _may_complain(packet, index, first, last, damaged):
                raise _damaged(path, "a frame cannot be decoded")
            yield from frames


def _may_complain(packet: Packet | None, index: FrameIndex, first: int, last: int, damaged: _Damaged) -> bool:
    """Whether this packet's damage is no news, or not this range's to tell.

    Before the range the decoder may miss references that lie before the keyframe where it began. A frame that is
    really broken there is refused by the chunk that owns it.
    """
    if packet is None:
        return damaged.covers(int(index.pts[last - 1]))
    return packet.pts is not None and (packet.pts < index.pts[first] or damaged.covers(packet.pts))


def video_position(container: av.container.InputContainer, index: FrameIndex) -> int:
    """The place of the index's stream among the video streams."""
    return [s.index for s in container.streams.video].index(index.stream_index)


def _packets_from(
    container: av.container.InputContainer, stream: av.video.VideoStream, index: FrameIndex, first: int
) -> Iterator[Packet]:
    """The packets from a keyframe on that makes the frame `first` decode exactly; at worst, all packets."""
    keyframes = np.flatnonzero(index.keyframe[: first + 1]).tolist()
    if not keyframes:
        return _all_packets(container, stream)
    packets = _from_keyframe(container, stream, index, keyframes)
    head = next(packets, None)
    if head is not None and starts_clean(head, stream.codec_context):
        return chain([head], packets)
    # A keyframe that is no IDR may lean on what came before it (intra refresh): begin one keyframe earlier.
    if head is not None and len(keyframes) > 1:
        return chain(_from_keyframe(container, stream, index, keyframes[:-1]))
    return _all_packets(container, stream)


def _from_keyframe(
    container: av.container.InputContainer,
    stream: av.video.VideoStream,
    index: FrameIndex,
    keyframes: list[int],
) -> Iterator[Packet]:
    """Packets beginning with that of the last of `keyframes` (display indices); all packets when seeking fails."""
    wanted_pts = int(index.pts[keyframes[-1]])
    for keyframe in reversed(keyframes[-_MAX_SEEKS:]):
        packets = _seek(container, stream, int(index.pts[keyframe]))
        head = _skip_to(packets, index, wanted_pts)
        if head is not None:
            return chain([head], packets)
    return _all_packets(container, stream)


def _skip_to(packets: Iterable[Packet], index: FrameIndex, pts: int) -> Packet | None:
    """The packet with this timestamp, or None if the seek went past it."""
    wanted_rank = _rank(index, pts)
    for packet in packets:
        if packet.pts is not None and is_presented(packet):
            rank = _rank(index, packet.pts)
            if rank == wanted_rank:
                return packet
            if rank > wanted_rank:
                return None
    return None


def _seek(container: av.container.InputContainer, stream: av.video.VideoStream, pts: int) -> Iterator[Packet]:
    try:
        container.seek(pts, stream=stream, backward=True)
    except av.error.FFmpegError:
        return iter(())  # no index to seek in: the caller goes back to the beginning
    return demux_video(container, stream)


def _all_packets(container: av.container.InputContainer, stream: av.video.VideoStream) -> Iterator[Packet]:
    # A fresh container, because some demuxers cannot seek back to their beginning.
    with open_source(Path(container.name.removeprefix("file:"))) as fresh:
        yield from demux_video(fresh, fresh.streams.video[container.streams.video.index(stream)])


def demux_video(container: av.container.InputContainer, stream: av.video.VideoStream) -> Iterator[Packet]:
    """The packets of the stream from where the container stands."""
    return (packet for packet in stepwise(container.demux(*[stream])) if packet.size)


def _through_rank(packets: Iterable[Packet], index: FrameIndex, last_rank: int) -> Iterator[Packet]:
    """Packets in decode order up to the last one that the range needs."""
    for packet in packets:
        yield packet
        if packet.pts is not None and is_presented(packet) and _rank(index, packet.pts) >= last_rank:
            return


def _rank(index: FrameIndex, pts: int) -> int:
    """Decode rank of the frame with this timestamp; -1 for one that the index does not know."""
    position = int(np.searchsorted(index.pts, pts))
    known = position < index.n_frames and index.pts[position] == pts
    return int(index.decode_rank[position]) if known else -1


def check_format(frame: av.VideoFrame, path: Path, index: FrameIndex) -> None:
    """Raise UnsupportedFormatError unless the frame has the size and pixel format of the whole video."""
    expected = index.stream
    if (frame.width, frame.height, frame.format.name) != (expected.width, expected.height, expected.pixel_format):
        raise UnsupportedFormatError(
            f"{path} changes its picture size or pixel format on the way, which is not supported: "
            "split it where it changes, or re-encode it to one size."
        )


def _damaged(path: Path, what: str) -> DamagedVideoError:
    return DamagedVideoError(f"{path} is damaged, {what}: copy the file again from where it was recorded.")
