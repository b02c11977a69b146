"""Where to begin reading so that a frame decodes as it does in a linear pass, and which packets it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeAlias

import av
import av.container
import av.error
import av.stream
import av.video
import numpy as np

from anonflow.errors import DamagedVideoError
from anonflow.storage import StoragePath
from anonflow.types import FrameIndex
from anonflow.video.container import open_source
from anonflow.video.keyframe import starts_clean
from anonflow.video.tally import is_presented
from anonflow.video.watchdog import stepwise

_MAX_SEEKS = 4
"""Seeks that are tried, each one keyframe earlier, before the file is read from its beginning."""

Packet: TypeAlias = "av.Packet[av.stream.Stream]"


def video_position(container: av.container.InputContainer, index: FrameIndex) -> int:
    """The place of the index's stream among the video streams."""
    return [s.index for s in container.streams.video].index(index.stream_index)


def packets_from(
    path: StoragePath,
    container: av.container.InputContainer,
    stream: av.video.VideoStream,
    index: FrameIndex,
    first: int,
) -> Iterator[Packet]:
    """The packets from a keyframe on that makes the frame `first` decode exactly; at worst, all packets.

    None from before a damaged frame: what a decoder remembers of it may spoil what comes.
    """
    earliest = _behind_damage(index, first)
    keyframes = (earliest + np.flatnonzero(index.keyframe[earliest : first + 1])).tolist()
    if not keyframes:
        return _all_packets(path, container, stream)
    packets = _from_keyframe(path, container, stream, index, keyframes)
    head = next(packets, None)
    if head is not None and (starts_clean(head, stream.codec_context) or (earliest and len(keyframes) == 1)):
        return chain([head], packets)
    # A keyframe that is no IDR may lean on what came before it (intra refresh): begin one keyframe earlier.
    if head is not None and len(keyframes) > 1:
        return chain(_from_keyframe(path, container, stream, index, keyframes[:-1]))
    return _all_packets(path, container, stream)


def _behind_damage(index: FrameIndex, first: int) -> int:
    """Display index of the first frame of the sound run that `first` is in."""
    n_before = int(np.searchsorted(index.damaged, first))
    return int(index.damaged[n_before - 1]) + 1 if n_before else 0


def _from_keyframe(
    path: StoragePath,
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
    packets = _all_packets(path, container, stream)
    if len(index.damaged) and (head := _skip_to(packets, index, wanted_pts)) is not None:
        return chain([head], packets)
    return packets


def _skip_to(packets: Iterable[Packet], index: FrameIndex, pts: int) -> Packet | None:
    """The packet with this timestamp, or None if the seek went past it, or to a packet that only seems to be it.

    After a seek in a damaged AVI, timestamps are counted from what its index says.
    """
    wanted_rank = rank_of(index, pts)
    for packet in packets:
        if packet.pts is not None and is_presented(packet):
            rank = rank_of(index, packet.pts)
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


def _all_packets(
    path: StoragePath, container: av.container.InputContainer, stream: av.video.VideoStream
) -> Iterator[Packet]:
    # A fresh container, because some demuxers cannot seek back to their beginning.
    with open_source(path) as fresh:
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


def through_rank(packets: Iterable[Packet], index: FrameIndex, last_rank: int) -> Iterator[Packet]:
    """Packets in decode order up to the last one that the range needs."""
    for packet in packets:
        yield packet
        if packet.pts is not None and is_presented(packet) and rank_of(index, packet.pts) >= last_rank:
            return


def rank_of(index: FrameIndex, pts: int) -> int:
    """Decode rank of the frame with this timestamp; -1 for one that the index does not know."""
    place = index.display_index(pts)
    return -1 if place is None else rank_at(index, place)


def rank_at(index: FrameIndex, place: int) -> int:
    """Decode rank of the frame with this display index."""
    return int(index.decode_rank[place])
