"""Indexing a video: one pass over its packets, without decoding more than the first frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

import av
import av.container
import av.error
import av.logging
import av.stream
import av.video
import numpy as np

from anonflow.config import LimitsConfig
from anonflow.errors import (
    DamagedVideoError,
    LimitError,
    NoVideoStreamError,
    TimestampError,
    UnsupportedFormatError,
)
from anonflow.types import AudioStream, FrameIndex, IntArray, StreamFormat
from anonflow.video.container import check_picture, is_cover, open_source, video_stream
from anonflow.video.extent import missing_bytes
from anonflow.video.fields import field_order
from anonflow.video.hdr import content_light, mastering_display
from anonflow.video.logs import LibavLine, captured_warnings
from anonflow.video.planes import is_paintable
from anonflow.video.shift import shift_to_zero
from anonflow.video.sidedata import side_data_names
from anonflow.video.watchdog import one_step, stepwise

_RECOPY = "copy the file again from where it was recorded."
_REMUX = "rewrite it once, for example with `ffmpeg -fflags +genpts -i IN -c copy OUT.mkv`, or re-encode it."


@dataclass
class _Tally:
    """What one pass over the packets finds. The lists hold presented video packets in decode order."""

    pts: list[int] = field(default_factory=list)
    keyframe: list[bool] = field(default_factory=list)
    duration: list[int] = field(default_factory=list)
    byte_position: list[int] = field(default_factory=list)
    n_video_packets: int = 0
    n_audio_packets: dict[int, int] = field(default_factory=dict)
    audio_start: dict[int, int] = field(default_factory=dict)
    has_alpha_layer: bool = False


def probe(path: Path, limits: LimitsConfig | None = None, *, keeps_damaged: bool = False) -> FrameIndex:
    """Index every presented frame of a video.

    `limits` bound what the file may cost. With `keeps_damaged`, packets that are marked corrupt count like others;
    which frames that spoils, `mark_damage` finds out.

    Raises:
        SourceMissingError, SourceUnreadableError, SourceEmptyError, NotAVideoError, NoVideoStreamError: see
            `open_source` and `video_stream`.
        LimitError: the file asks for more than a limit allows.
        TimestampError: a frame has no timestamp, or two frames share one.
        DamagedVideoError: the file is shorter than its container announces, or packets are marked corrupt.
        UnsupportedFormatError: a pixel format that cannot be painted on, or a mirrored or slanted display.
    """
    with captured_warnings() as lines, open_source(path, limits) as container:
        n_header_lines = len(lines)
        stream = video_stream(container, path)
        _check_whole(path)
        tally = _tally_packets(container, stream, path, limits, keeps_damaged=keeps_damaged)
        _check_said(lines[0 if _reads_packets_to_open(container) else n_header_lines :], container, path)
        order, pts = _display_order(tally, path)
        _check_duration(pts, stream, path, limits)
        _check_reordering(container, stream, order, path)
        return FrameIndex(
            container=container.format.name,
            stream_index=stream.index,
            time_base=_time_base(stream),
            pts=pts,
            keyframe=np.array(tally.keyframe, bool)[order],
            decode_rank=order,
            end_pts=int(pts[-1]) + _last_duration(tally, order, pts, stream),
            stream=read_format(path, limits),
            audio=_audio_streams(container, tally),
            removed_streams=_removed_streams(container, stream, tally),
            shift_pts=shift_to_zero(int(pts[0]), _time_base(stream), _audio_starts(container, tally)),
            byte_positions=np.array(tally.byte_position, np.int64)[order],
        )


def read_format(path: Path, limits: LimitsConfig | None = None) -> StreamFormat:
    """The format of the video stream as its first decoded frame has it."""
    with open_source(path, limits) as container:
        stream = video_stream(container, path)
        frame = _first_frame(container, stream, path)
        if limits:  # some formats tell the size only now
            check_picture(frame.width, frame.height, limits, path)
        if not is_paintable(frame.format.name):
            raise UnsupportedFormatError(
                f"{path} has the pixel format {frame.format.name}, which cannot be masked in place: convert it to "
                "yuv420p, for example with `ffmpeg -i IN -pix_fmt yuv420p OUT.mp4`."
            )
        return StreamFormat(
            codec=stream.codec_context.codec.canonical_name,
            pixel_format=frame.format.name,
            width=frame.width,
            height=frame.height,
            sample_aspect_ratio=stream.sample_aspect_ratio or None,
            rotation_deg=rotation_deg(frame, path),
            color_range=int(frame.color_range),
            color_primaries=int(frame.color_primaries),
            color_transfer=int(frame.color_trc),
            color_matrix=int(frame.colorspace),
            mastering_display=mastering_display(frame),
            content_light=content_light(frame),
            side_data=side_data_names(frame),
            field_order=field_order(frame),  # the last: it paints on the frame
        )


def rotation_deg(frame: av.VideoFrame, path: Path) -> int:
    """Counter-clockwise display rotation, from the display matrix of the frame.

    Raises:
        UnsupportedFormatError: the matrix mirrors, scales or turns by no multiple of 90 degrees.
    """
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 0
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    if abs(a) + abs(b) == 0 or (a, b) != (d, -c) or (a and b):
        raise UnsupportedFormatError(
            f"{path} is shown mirrored or slanted, which is not supported: re-encode it upright."
        )
    return frame.rotation


def _reads_packets_to_open(container: av.container.InputContainer) -> bool:
    """What MP4 complains of at opening are odd headers; the others have then read their first packets, too."""
    return "mp4" not in container.format.name


def _check_said(lines: Sequence[LibavLine], container: av.container.InputContainer, path: Path) -> None:
    """Raise if the demuxer came upon what it could not read: packets may be lost, and nobody counts them."""
    if any(level <= av.logging.ERROR and context == container.format.name for level, context, _ in lines):
        raise DamagedVideoError(f"{path} is damaged between its packets, some may be lost: {_RECOPY}")


def _check_whole(path: Path) -> None:
    missing = missing_bytes(path)
    if missing:
        raise DamagedVideoError(f"{path} is truncated, at least {missing} bytes are missing: {_RECOPY}")


def _tally_packets(
    container: av.container.InputContainer,
    stream: av.video.VideoStream,
    path: Path,
    limits: LimitsConfig | None,
    *,
    keeps_damaged: bool,
) -> _Tally:
    announced = len(stream.index_entries) if "mp4" in container.format.name else 0
    tally = _Tally()
    for packet in _packets(container, [stream, *_copied_audio(container)], path):
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
    container: av.container.InputContainer, streams: Sequence[av.stream.Stream], path: Path
) -> Iterator[av.Packet[av.stream.Stream]]:
    try:
        for packet in stepwise(container.demux(*streams)):
            if packet.size:  # PyAV ends each stream with an empty packet
                yield packet
    except (av.error.FFmpegError, IndexError) as error:  # IndexError: a stream that appears late in a corrupt TS
        raise DamagedVideoError(f"{path} cannot be read to its end: {_RECOPY}") from error


def _add_video(tally: _Tally, packet: av.Packet[av.stream.Stream], path: Path) -> None:
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


def _display_order(tally: _Tally, path: Path) -> tuple[IntArray, IntArray]:
    if not tally.pts:
        raise NoVideoStreamError(f"{path} has a video stream without a single frame: remove it from the input.")
    pts = np.array(tally.pts, np.int64)
    order = np.argsort(pts, kind="stable").astype(np.int64)
    if (np.diff(pts[order]) <= 0).any():
        raise TimestampError(f"{path} has several frames with one timestamp: {_REMUX}")
    return order, pts[order]


def _check_duration(pts: IntArray, stream: av.video.VideoStream, path: Path, limits: LimitsConfig | None) -> None:
    duration_s = float((int(pts[-1]) - int(pts[0])) * _time_base(stream))
    if limits and duration_s > limits.max_duration_s:
        raise LimitError(
            f"{path} lasts {duration_s:.0f} s: raise limits.max_duration_s={limits.max_duration_s:g} if it is "
            "sound, or repair its timestamps."
        )


def _check_reordering(
    container: av.container.InputContainer, stream: av.video.VideoStream, order: IntArray, path: Path
) -> None:
    """AVI knows no display times: of H.264 and HEVC with B-frames it numbers the packets in decode order."""
    reorders = stream.codec_context.reorder_depth > 0 and codec_name(stream) in {"h264", "hevc"}
    if container.format.name == "avi" and reorders and (np.diff(order) == 1).all():
        raise TimestampError(f"{path} does not say in which order its frames are shown: {_REMUX}")


def _last_duration(tally: _Tally, order: IntArray, pts: IntArray, stream: av.video.VideoStream) -> int:
    duration = tally.duration[int(order[-1])]
    if duration > 0:
        return duration
    if len(pts) > 1:
        return max(1, int(np.median(np.diff(pts))))
    rate = stream.average_rate or Fraction(25)
    return max(1, round(1 / rate / _time_base(stream)))


def _first_frame(container: av.container.InputContainer, stream: av.video.VideoStream, path: Path) -> av.VideoFrame:
    stream.codec_context.thread_count = 1
    for packet in container.demux(stream):
        try:
            with one_step():
                frames = packet.decode()
        except av.error.InvalidDataError:
            continue  # decode_range counts frames and refuses; here the first good one is enough
        except av.error.FFmpegError as error:
            _raise_undecodable(path, error)
        if frames:
            return frames[0]
    _raise_undecodable(path, None)


def _raise_undecodable(path: Path, error: Exception | None) -> NoReturn:
    raise DamagedVideoError(f"{path}: no frame of its video can be decoded: {_RECOPY}") from error


def _time_base(stream: av.stream.Stream) -> Fraction:
    assert stream.time_base is not None, "a demuxed stream always has a time base"
    return stream.time_base


def _copied_audio(container: av.container.InputContainer) -> list[av.stream.Stream]:
    return list(container.streams.audio)


def _audio_streams(container: av.container.InputContainer, tally: _Tally) -> tuple[AudioStream, ...]:
    return tuple(
        AudioStream(stream.index, codec_name(stream), tally.n_audio_packets.get(stream.index, 0))
        for stream in _copied_audio(container)
    )


def _audio_starts(container: av.container.InputContainer, tally: _Tally) -> list[tuple[int, Fraction]]:
    """First timestamp and time base of each audio stream, after Opus's pre-skip: Matroska has a field for it."""
    starts = []
    for stream in _copied_audio(container):
        if stream.index in tally.audio_start:
            base = _time_base(stream)
            pre_skip = (
                round(Fraction(stream.codec_context.delay, 48_000) / base) if codec_name(stream) == "opus" else 0
            )
            starts.append((tally.audio_start[stream.index] + pre_skip, base))
    return starts


def _removed_streams(
    container: av.container.InputContainer, video: av.video.VideoStream, tally: _Tally
) -> tuple[str, ...]:
    removed = [
        f"{'cover' if is_cover(s) else s.type}:{codec_name(s)}"
        for s in container.streams
        if s.index != video.index and s.type != "audio"
    ]
    if tally.has_alpha_layer:
        removed.append(f"alpha layer:{codec_name(video)}")
    if container.chapters():
        removed.append("chapters")
    return tuple(removed)


def codec_name(stream: av.stream.Stream) -> str:
    """FFmpeg's name of the codec itself, not of a decoder for it; `unknown` without one."""
    context = getattr(stream, "codec_context", None)
    return "unknown" if context is None else str(context.codec.canonical_name)
