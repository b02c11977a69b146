"""Decoding a range of frames exactly as one pass over the whole file would, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TypeAlias, cast

import av
import av.container
import av.error
import av.packet
import av.stream
import av.video
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from anonflow.errors import DamagedVideoError, UnsupportedFormatError
from anonflow.types import FrameIndex
from anonflow.video.container import open_source
from anonflow.video.keyframe import starts_clean
from anonflow.video.probe import is_presented

_MAX_SEEKS = 4
"""Seeks that are tried, each one keyframe earlier, before the file is read from its beginning."""

_Packet: TypeAlias = "av.Packet[av.stream.Stream]"


def decode_range(
    path: Path, index: FrameIndex, start_pts: int, stop_pts: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield `(pts, frame)` for exactly the frames with `start_pts <= pts < stop_pts`, in display order.

    Bit-identical to a linear decode of the file, wherever the range starts. Without more threads than one: what a
    decoder makes of a damaged file depends on their number.

    Raises:
        DamagedVideoError: a frame is missing, extra, undecodable or marked corrupt. Frames that were yielded
            before must not be published either.
        UnsupportedFormatError: the size or pixel format changes within the video.
    """
    first, last = np.searchsorted(index.pts, [start_pts, stop_pts])
    expected = iter(index.pts[first:last].tolist())
    for frame in _decode(path, index, int(first), int(last)):
        if frame.pts is None or not start_pts <= frame.pts < stop_pts:
            continue
        if frame.pts != next(expected, None):
            raise _damaged(path, "a frame is missing or comes twice")
        _check_frame(frame, path, index)
        yield frame.pts, frame
    if next(expected, None) is not None:
        raise _damaged(path, "a frame is missing")


def _decode(path: Path, index: FrameIndex, first: int, last: int) -> Iterator[av.VideoFrame]:
    if first == last:
        return
    last_rank = int(index.decode_rank[first:last].max())
    with open_source(path) as container:
        stream = container.streams.video[_video_position(container, index)]
        context = stream.codec_context
        context.thread_count = 1
        # Errors that a decoder would conceal by inventing a picture become exceptions.
        context.options = {"err_detect": "explode"}
        packets = _packets_from(container, stream, index, first)
        # Known from the index; guessing it from the stream loses frames of H.264 without VUI. After the seek,
        # because that resets the decoder.
        context.reorder_depth = index.reorder_depth
        for packet in chain(_through_rank(packets, index, last_rank), [None]):
            yield from _decode_packet(context, packet, int(index.pts[first]), path)


def _decode_packet(
    context: VideoCodecContext, packet: _Packet | None, start_pts: int, path: Path
) -> list[av.VideoFrame]:
    """The frames that come out when the packet goes in; None drains the decoder."""
    try:
        return context.decode(cast("av.Packet[VideoStream] | None", packet))
    except av.error.FFmpegError as error:
        # Before the range the decoder may miss references that lie before the keyframe where it began. A frame
        # that is really broken there is refused by the chunk that owns it.
        if packet is not None and packet.pts is not None and packet.pts < start_pts:
            return []
        raise _damaged(path, "a frame cannot be decoded") from error


def _video_position(container: av.container.InputContainer, index: FrameIndex) -> int:
    return [s.index for s in container.streams.video].index(index.stream_index)


def _packets_from(
    container: av.container.InputContainer, stream: av.video.VideoStream, index: FrameIndex, first: int
) -> Iterator[_Packet]:
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
) -> Iterator[_Packet]:
    """Packets beginning with that of the last of `keyframes` (display indices); all packets when seeking fails."""
    wanted_pts = int(index.pts[keyframes[-1]])
    for keyframe in reversed(keyframes[-_MAX_SEEKS:]):
        packets = _seek(container, stream, int(index.pts[keyframe]))
        head = _skip_to(packets, index, wanted_pts)
        if head is not None:
            return chain([head], packets)
    return _all_packets(container, stream)


def _skip_to(packets: Iterable[_Packet], index: FrameIndex, pts: int) -> _Packet | None:
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


def _seek(container: av.container.InputContainer, stream: av.video.VideoStream, pts: int) -> Iterator[_Packet]:
    try:
        container.seek(pts, stream=stream, backward=True)
    except av.error.FFmpegError:
        return iter(())  # no index to seek in: the caller goes back to the beginning
    return _video_packets(container, stream)


def _all_packets(container: av.container.InputContainer, stream: av.video.VideoStream) -> Iterator[_Packet]:
    # A fresh container, because some demuxers cannot seek back to their beginning.
    with open_source(Path(container.name.removeprefix("file:"))) as fresh:
        yield from _video_packets(fresh, fresh.streams.video[container.streams.video.index(stream)])


def _video_packets(container: av.container.InputContainer, stream: av.video.VideoStream) -> Iterator[_Packet]:
    return (packet for packet in container.demux(*[stream]) if packet.size)


def _through_rank(packets: Iterable[_Packet], index: FrameIndex, last_rank: int) -> Iterator[_Packet]:
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


def _check_frame(frame: av.VideoFrame, path: Path, index: FrameIndex) -> None:
    if frame.is_corrupt:
        raise _damaged(path, "a frame is corrupt")
    expected = index.stream
    if (frame.width, frame.height, frame.format.name) != (expected.width, expected.height, expected.pixel_format):
        raise UnsupportedFormatError(
            f"{path} changes its picture size or pixel format on the way, which is not supported: "
            "split it where it changes, or re-encode it to one size."
        )


def _damaged(path: Path, what: str) -> DamagedVideoError:
    return DamagedVideoError(f"{path} is damaged, {what}: copy the file again from where it was recorded.")
