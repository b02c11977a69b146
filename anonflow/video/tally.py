"""One pass over the packets of a file, without decoding any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import av
import av.container
import av.error
import av.stream
import av.video

from anonflow.config import LimitsConfig
from anonflow.errors import DamagedVideoError, LimitError, TimestampError
from anonflow.storage import StoragePath
from anonflow.video.watchdog import stepwise

_RECOPY = "copy the file again from where it was recorded."
_REMUX = "rewrite it once, for example with `ffmpeg -fflags +genpts -i IN -c copy OUT.mkv`, or re-encode it."


@dataclass
class Tally:
    """What one pass over the packets finds. The lists hold presented video packets in decode order."""

    pts: list[int] = field(default_factory=list)
    keyframe: list[bool] = field(default_factory=list)
    duration: list[int] = field(default_factory=list)
    byte_position: list[int] = field(default_factory=list)
    n_video_packets: int = 0
    n_audio_packets: dict[int, int] = field(default_factory=dict)
    audio_start: dict[int, int] = field(default_factory=dict)
    has_alpha_layer: bool = False


def tally_packets(
    container: av.container.InputContainer,
    stream: av.video.VideoStream,
    path: StoragePath,
    limits: LimitsConfig | None,
    *,
    keeps_damaged: bool,
) -> Tally:
    """Read all packets of the video and of its sound once.

    Raises:
        DamagedVideoError, TimestampError, LimitError: see `probe`.
    """
    announced = len(stream.index_entries) if "mp4" in container.format.name else 0
    tally = Tally()
    for packet in _packets(container, [stream, *container.streams.audio], path):
        if packet.is_corrupt and not keeps_damaged:
            raise DamagedVideoError(f"{path} has corrupt packets: {_RECOPY}")
        if packet.stream.index != stream.index:
            tally.n_audio_packets[packet.stream.index] = tally.n_audio_packets.get(packet.stream.index, 0) + 1
            if packet.pts is not None:
                tally.audio_start.setdefault(packet.stream.index, packet.pts)
            continue
        _add_video(tally, packet, path)
        if limits and tally.n_video_packets > limits.max_frames:
            raise LimitError(
                f"{path} has more than {limits.max_frames} frames: raise limits.max_frames if it is sound."
            )
    if tally.n_video_packets < announced:
        raise DamagedVideoError(
            f"{path} announces {announced} video packets but has {tally.n_video_packets}: {_RECOPY}"
        )
    return tally


def _packets(
    container: av.container.InputContainer, streams: Sequence[av.stream.Stream], path: StoragePath
) -> Iterator[av.Packet[av.stream.Stream]]:
    try:
        for packet in stepwise(container.demux(*streams)):
            if packet.size:  # PyAV ends each stream with an empty packet
                yield packet
    except (av.error.FFmpegError, IndexError) as error:  # IndexError: a stream that appears late in a corrupt TS
        raise DamagedVideoError(f"{path} cannot be read to its end: {_RECOPY}") from error


def _add_video(tally: Tally, packet: av.Packet[av.stream.Stream], path: StoragePath) -> None:
    tally.n_video_packets += 1
    if not is_presented(packet):
        return
    if packet.pts is None:
        raise TimestampError(f"{path} has frames without a timestamp: {_REMUX}")
    tally.pts.append(packet.pts)
    tally.keyframe.append(packet.is_keyframe)
    tally.duration.append(packet.duration or 0)
    tally.byte_position.append(-1 if packet.pos is None else packet.pos)
    tally.has_alpha_layer |= packet.has_sidedata("matroska_block_additional")


def is_presented(packet: av.Packet[av.stream.Stream]) -> bool:
    """Whether the packet of a video stream gives a frame that is shown."""
    if packet.is_discard:
        return False
    # VP8 keeps its invisible reference frames in packets of their own; `show_frame` is bit 4 (RFC 6386, 9.1).
    return packet.stream.codec_context.codec.canonical_name != "vp8" or bool(bytes(packet)[0] & 0x10)
