"""Decoding a range of frames exactly as one pass over the whole file would, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
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


class BrokenFrameError(Exception):
    """A frame is missing, comes twice, or cannot be decoded: the one with this decode rank, or one just before."""

    def __init__(self, rank: int, what: str) -> None:
        """Say which frame, and what is wrong."""
        super().__init__(what)
        self.rank = rank


def decode_range(
    path: Path, index: FrameIndex, start_pts: int, stop_pts: int
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


def sound_frames(path: Path, index: FrameIndex, first: int, last: int) -> Iterator[tuple[int, av.VideoFrame]]:
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
            raise BrokenFrameError(_rank_at(index, min(place, last - 1)), "a frame is missing or comes twice")
        if frame.is_corrupt:
            raise BrokenFrameError(_rank_at(index, place), "a frame is corrupt")
        check_format(frame, path, index)
        yield frame.pts, frame
        place += 1
    if place < last:
        raise BrokenFrameError(_rank_at(index, place), "a frame is missing")


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


def _decode(path: Path, index: FrameIndex, first: int, last: int) -> Iterator[av.VideoFrame]:
    last_rank = int(index.decode_rank[first:last].max())
    start_pts, rank = int(index.pts[first]), 0
    with open_source(path) as container:
        stream = container.streams.video[video_position(container, index)]
        context = stream.codec_context
        context.thread_count = 1
        context.options = _DECODER_OPTIONS
        packets = _packets_from(container, stream, index, first)
        # Known from the index; guessing it from the stream loses frames of H.264 without VUI. After the seek,
        # because that resets the decoder.
        context.reorder_depth = index.reorder_depth
        for packet in chain(_through_rank(packets, index, last_rank), [None]):
            frames, complains = _decode_packet(context, packet)
            if packet is not None:
                known = -1 if packet.pts is None else _rank(index, packet.pts)
                rank = known if known >= 0 else min(rank + 1, last_rank)
                complains |= packet.is_corrupt
            yield from frames
            # Before the range the decoder may miss references that lie before the keyframe where it began. A frame
            # that is really broken there is refused by the chunk that owns it.
            if complains and (packet is None or packet.pts is None or packet.pts >= start_pts):
                if packet is not None:
                    yield from _decode_packet(context, None)[0]
                raise BrokenFrameError(rank, "a frame cannot be decoded")


def video_position(container: av.container.InputContainer, index: FrameIndex) -> int:
    """The place of the index's stream among the video streams."""
    return [s.index for s in container.streams.video].index(index.stream_index)


def _packets_from(
    container: av.container.InputContainer, stream: av.video.VideoStream, index: FrameIndex, first: int
) -> Iterator[Packet]:
    """The packets from a keyframe on that makes the frame `first` decode exactly; at worst, all packets.

    None from before a damaged frame: what a decoder remembers of it may spoil what comes.
    """
    earliest = _behind_damage(index, first)
    keyframes = (earliest + np.flatnonzero(index.keyframe[earliest : first + 1])).tolist()
    if not keyframes:
        return _all_packets(container, stream)
    packets = _from_keyframe(container, stream, index, keyframes)
    head = next(packets, None)
    if head is not None and (starts_clean(head, stream.codec_context) or (earliest and len(keyframes) == 1)):
        return chain([head], packets)
    # A keyframe that is no IDR may lean on what came before it (intra refresh): begin one keyframe earlier.
    if head is not None and len(keyframes) > 1:
        return chain(_from_keyframe(container, stream, index, keyframes[:-1]))
    return _all_packets(container, stream)


def _behind_damage(index: FrameIndex, first: int) -> int:
    """Display index of the first frame of the sound run that `first` is in."""
    n_before = int(np.searchsorted(index.damaged, first))
    return int(index.damaged[n_before - 1]) + 1 if n_before else 0


def _from_keyframe(
    container: av.container.InputContainer,
    stream: av.video.VideoStream,
    index: FrameIndex,
    keyframes: list[int],
) -> Iterator[Packet]:
    """Packets beginning with that of the last of `keyframes` (display indices).

    When seeking fails, all packets; of a damaged video still only those from that one on.
    """
    wanted_pts = int(index.pts[keyframes[-1]])
    for keyframe in reversed(keyframes[-_MAX_SEEKS:]):
        packets = _seek(container, stream, int(index.pts[keyframe]))
        head = _skip_to(packets, index, wanted_pts)
        if head is not None:
            return chain([head], packets)
    packets = _all_packets(container, stream)
    if len(index.damaged) and (head := _skip_to(packets, index, wanted_pts)) is not None:
        return chain([head], packets)
    return packets


def _skip_to(packets: Iterable[Packet], index: FrameIndex, pts: int) -> Packet | None:
    """The packet with this timestamp, or None if the seek went past it, or to a packet that only seems to be it.

    After a seek in a damaged AVI, timestamps are counted from what its index says.
    """
    wanted_rank = _rank(index, pts)
    for packet in packets:
        if packet.pts is not None and is_presented(packet):
            rank = _rank(index, packet.pts)
            if rank == wanted_rank:
                return packet if _is_where_it_was(packet, index, pts) else None
            if rank > wanted_rank:
                return None
    return None


def _is_where_it_was(packet: Packet, index: FrameIndex, pts: int) -> bool:
    place = index.display_index(pts)
    if place is None or not len(index.byte_positions) or packet.pos is None:
        return True
    return bool(index.byte_positions[place] in (-1, packet.pos))


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
    """The packets of the stream from where the container stands.

    Raises:
        DamagedVideoError: the file cannot be read on. In a corrupt TS that may depend on where reading began.
    """
    try:
        yield from (packet for packet in stepwise(container.demux(*[stream])) if packet.size)
    except (av.error.FFmpegError, IndexError) as error:  # as in probe
        raise DamagedVideoError(
            f"{container.name.removeprefix('file:')} cannot be read to its end: copy the file again from where it "
            "was recorded."
        ) from error


def _through_rank(packets: Iterable[Packet], index: FrameIndex, last_rank: int) -> Iterator[Packet]:
    """Packets in decode order up to the last one that the range needs."""
    for packet in packets:
        yield packet
        if packet.pts is not None and is_presented(packet) and _rank(index, packet.pts) >= last_rank:
            return


def _rank(index: FrameIndex, pts: int) -> int:
    """Decode rank of the frame with this timestamp; -1 for one that the index does not know."""
    place = index.display_index(pts)
    return -1 if place is None else _rank_at(index, place)


def _rank_at(index: FrameIndex, place: int) -> int:
    return int(index.decode_rank[place])


def check_format(frame: av.VideoFrame, path: Path, index: FrameIndex) -> None:
    """Raise UnsupportedFormatError unless the frame has the size and pixel format of the whole video."""
    expected = index.stream
    if (frame.width, frame.height, frame.format.name) != (expected.width, expected.height, expected.pixel_format):
        raise UnsupportedFormatError(
            f"{path} changes its picture size or pixel format on the way, which is not supported: "
            "split it where it changes, or re-encode it to one size."
        )
