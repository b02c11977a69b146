"""Indexing a video: one pass over its packets, without decoding more than the first frame."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

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
)
from anonflow.storage import StoragePath
from anonflow.types import AudioStream, FrameIndex, IntArray
from anonflow.video.container import is_cover, open_source, video_stream
from anonflow.video.extent import missing_bytes
from anonflow.video.form import read_format
from anonflow.video.logs import LibavLine, captured_warnings
from anonflow.video.shift import shift_to_zero
from anonflow.video.tally import Tally, tally_packets

_MAX_REORDERED_FRAMES = 16
"""The largest picture buffer of H.264 and H.265 (A.3.1 and A.4.1); the other codecs reorder less."""
_RECOPY = "copy the file again from where it was recorded."
_REMUX = "rewrite it once, for example with `ffmpeg -fflags +genpts -i IN -c copy OUT.mkv`, or re-encode it."


def probe(path: StoragePath, limits: LimitsConfig | None = None, *, keeps_damaged: bool = False) -> FrameIndex:
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
        tally = tally_packets(container, stream, path, limits, keeps_damaged=keeps_damaged)
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


def _check_whole(path: StoragePath) -> None:
    missing = missing_bytes(path)
    if missing:
        raise DamagedVideoError(f"{path} is truncated, at least {missing} bytes are missing: {_RECOPY}")


def _display_order(tally: Tally, path: StoragePath) -> tuple[IntArray, IntArray]:
    if not tally.pts:
        raise NoVideoStreamError(f"{path} has a video stream without a single frame: remove it from the input.")
    pts = np.array(tally.pts, np.int64)
    order = np.argsort(pts, kind="stable").astype(np.int64)
    if (np.diff(pts[order]) <= 0).any():
        raise TimestampError(f"{path} has several frames with one timestamp: {_REMUX}")
    return order, pts[order]


def _check_duration(
    pts: IntArray, stream: av.video.VideoStream, path: StoragePath, limits: LimitsConfig | None
) -> None:
    duration_s = float((int(pts[-1]) - int(pts[0])) * _time_base(stream))
    if limits and duration_s > limits.max_duration_s:
        raise LimitError(
            f"{path} lasts {duration_s:.0f} s: raise limits.max_duration_s={limits.max_duration_s:g} if it is "
            "sound, or repair its timestamps."
        )


def _check_reordering(
    container: av.container.InputContainer, stream: av.video.VideoStream, order: IntArray, path: StoragePath
) -> None:
    """Refuse an order that no encoder makes, or none: FFmpeg's H.264 decoder aborts on more than 16 frames.

    AVI knows no display times: of H.264 and HEVC with B-frames it numbers the packets in decode order.
    """
    if int(np.max(order - np.arange(len(order)))) > _MAX_REORDERED_FRAMES:
        raise TimestampError(
            f"{path} shows a frame that comes more than {_MAX_REORDERED_FRAMES} frames later in the file: {_REMUX}"
        )
    reorders = stream.codec_context.reorder_depth > 0 and codec_name(stream) in {"h264", "hevc"}
    if container.format.name == "avi" and reorders and (np.diff(order) == 1).all():
        raise TimestampError(f"{path} does not say in which order its frames are shown: {_REMUX}")


def _last_duration(tally: Tally, order: IntArray, pts: IntArray, stream: av.video.VideoStream) -> int:
    duration = tally.duration[int(order[-1])]
    if duration > 0:
        return duration
    if len(pts) > 1:
        return max(1, int(np.median(np.diff(pts))))
    rate = stream.average_rate or Fraction(25)
    return max(1, round(1 / rate / _time_base(stream)))


def _time_base(stream: av.stream.Stream) -> Fraction:
    assert stream.time_base is not None, "a demuxed stream always has a time base"
    return stream.time_base


def _audio_streams(container: av.container.InputContainer, tally: Tally) -> tuple[AudioStream, ...]:
    return tuple(
        AudioStream(stream.index, codec_name(stream), tally.n_audio_packets.get(stream.index, 0))
        for stream in _copied_audio(container)
    )


def _audio_starts(container: av.container.InputContainer, tally: Tally) -> list[tuple[int, Fraction]]:
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
    container: av.container.InputContainer, video: av.video.VideoStream, tally: Tally
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


def _copied_audio(container: av.container.InputContainer) -> list[av.stream.Stream]:
    return list(container.streams.audio)


def codec_name(stream: av.stream.Stream) -> str:
    """FFmpeg's name of the codec itself, not of a decoder for it; `unknown` without one."""
    context = getattr(stream, "codec_context", None)
    return "unknown" if context is None else str(context.codec.canonical_name)


def _check_said(lines: Sequence[LibavLine], container: av.container.InputContainer, path: StoragePath) -> None:
    """Raise if the demuxer came upon what it could not read: packets may be lost, and nobody counts them."""
    if any(level <= av.logging.ERROR and context == container.format.name for level, context, _ in lines):
        raise DamagedVideoError(f"{path} is damaged between its packets, some may be lost: {_RECOPY}")


def _reads_packets_to_open(container: av.container.InputContainer) -> bool:
    """What MP4 complains of at opening are odd headers; the others have then read their first packets, too."""
    return "mp4" not in container.format.name
