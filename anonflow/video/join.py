"""Joining segments and the source's sound into one file. Packets are copied; nothing is encoded again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
import av.container
import av.error
import av.stream
import av.video
import numpy as np

from anonflow.errors import FidelityError, UnsupportedFormatError
from anonflow.storage import naming_storage_errors
from anonflow.types import FrameIndex, IntArray
from anonflow.video.carry import SOUND_ONLY, CarryPolicy, Selection, select
from anonflow.video.container import open_source, write_error
from anonflow.video.extras import add_extras, movie_flags
from anonflow.video.segment import Segment, open_segment, read_segment
from anonflow.video.target import choose_container

__all__ = ["choose_container", "join"]
_MUXERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
_MIN_MOVIE_TIMESCALE = 90_000
_MAX_MOVIE_TIMESCALE = 2**31 - 1
_Packet: TypeAlias = "av.Packet[av.stream.Stream]"


def join(
    segments: Sequence[Path],
    source: Path,
    index: FrameIndex,
    output: Path,
    container: str,
    policy: CarryPolicy = SOUND_ONLY,
) -> None:
    """Write `output` from the segments of all chunks, in order, and what `policy` takes of `source` besides.

    Every video frame gets the timestamp that it has in `index`; packets of other streams are copied as they are,
    unless the policy changes the sound. `container` is what `choose_container` returned; `output` is a temporary
    name.

    Raises:
        FidelityError: the segments don't hold exactly the frames of `index`, or differ in their encoding.
        UnsupportedFormatError: the container refuses the streams, or would lose the pixel aspect.
        EncodeError, DamagedVideoError: sound that is to be changed cannot be.
        StorageError: `output` cannot be written.
    """
    read = [read_segment(path) for path in segments]
    _check_segments(read, index, output)
    with naming_storage_errors(output):
        output.touch()
    try:
        _mux(read, source, index, output, container, select(source, index, policy))
    except (av.error.FFmpegError, ValueError) as error:
        raise write_error(error, output) or UnsupportedFormatError(
            f"{source} cannot be written as {container} ({type(error).__name__}): rewrite the source with "
            "`ffmpeg -i IN -c copy OUT.mkv` first, or re-encode its sound."
        ) from error


def _mux(
    segments: Sequence[Segment],
    source: Path,
    index: FrameIndex,
    output: Path,
    container: str,
    selection: Selection,
) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(open_segment(segments[0].path))
        opened_source = stack.enter_context(open_source(source))
        audio = [opened_source.streams[part.index] for part in selection.audio]
        options = _mux_options(container, index.time_base, audio, movie_flags(selection, container))
        out = stack.enter_context(
            av.open(f"file:{output.absolute()}", "w", format=_MUXERS[container], container_options=options)
        )
        video_out = _add_video(out, first.streams.video[0], index, container)
        others = add_extras(out, video_out, opened_source, source, index, selection, container)
        packets = heapq.merge(_video_packets(segments, index, video_out), *others, key=_decode_time_s)
        for packet in packets:
            out.mux(packet)


def _mux_options(
    container: str, time_base: Fraction, audio: Sequence[av.stream.Stream], movie_flags: str
) -> dict[str, str]:
    options = {"fflags": "+bitexact"}  # no random ids: equal segments give an equal file
    if container == ".mkv":
        return options
    # Edit lists count in the movie's own timescale; too coarse a one would move the first frame.
    finest = max(_MIN_MOVIE_TIMESCALE, time_base.denominator, *(_time_base(s).denominator for s in audio), 0)
    return {
        **options,
        "movflags": f"+faststart{movie_flags}",
        "movie_timescale": str(min(finest, _MAX_MOVIE_TIMESCALE)),
    }


def _add_video(
    out: av.container.OutputContainer, template: av.video.VideoStream, index: FrameIndex, container: str
) -> av.video.VideoStream:
    stream = out.add_stream_from_template(template, opaque=True)
    stream.time_base = index.time_base
    context, form = stream.codec_context, index.stream
    if context.codec.canonical_name == "av1" and container == ".mkv" and form.sample_aspect_ratio not in (None, 1):
        # AV1 leaves the pixel aspect to the container, and PyAV cannot set the field that Matroska's muxer reads.
        raise UnsupportedFormatError(
            "AV1 in Matroska would lose the pixel aspect of this video: use video=h264 for it."
        )
    if form.sample_aspect_ratio:
        context.sample_aspect_ratio = form.sample_aspect_ratio
    context.color_range, context.color_primaries = form.color_range, form.color_primaries
    context.color_trc, context.colorspace = form.color_transfer, form.color_matrix
    if form.rotation_deg:
        stream.set_display_rotation(form.rotation_deg)
    if context.codec.canonical_name == "hevc" and container != ".mkv":
        context.codec_tag = "hvc1"  # the parameter sets are in the header; Apple's players insist on this name
    return stream


def _video_packets(
    segments: Sequence[Segment],
    index: FrameIndex,
    stream: av.video.VideoStream,
) -> Iterator[_Packet]:
    """All packets of the segments in decode order, with the source's timestamps and durations."""
    dts = _decode_times(index.pts, max(s.reorder_depth for s in segments))
    durations = np.diff(index.pts, append=max(index.end_pts, int(index.pts[-1]) + 1))
    n_before = 0
    for segment in segments:
        frames = n_before + segment.display_rank
        with open_segment(segment.path) as container:
            packets = (p for p in container.demux(container.streams.video[0]) if p.size)
            for number, (packet, frame) in enumerate(zip(packets, frames.tolist(), strict=True), n_before):
                packet.time_base = index.time_base
                packet.pts, packet.dts = int(index.pts[frame]), int(dts[number])
                packet.duration = int(durations[frame])
                packet.stream = stream
                yield cast(_Packet, packet)
        n_before += len(frames)


def _decode_times(pts: IntArray, depth: int) -> IntArray:
    """Decode timestamps: the display timestamps `depth` places later, and as many even steps before the first."""
    step = int(pts[1] - pts[0]) if len(pts) > 1 else 1
    before = pts[0] - step * np.arange(depth, 0, -1, dtype=np.int64)
    return np.concatenate([before, pts[: len(pts) - depth]])[: len(pts)]


def _decode_time_s(packet: _Packet) -> Fraction:
    time = packet.dts if packet.dts is not None else packet.pts
    return Fraction(0) if time is None else time * packet.time_base


def _time_base(stream: av.stream.Stream) -> Fraction:
    return stream.time_base or Fraction(1)


def _check_segments(segments: Sequence[Segment], index: FrameIndex, output: Path) -> None:
    """Each segment must begin where the last one ended and have the frames of its range, at their distances."""
    n_before = 0
    for number, segment in enumerate(segments):
        expected = index.pts[n_before : n_before + segment.n_frames]
        if not segment.matches(expected, index.time_base):
            raise FidelityError(f"Segment {number} of {output} does not hold the frames of its chunk: run again.")
        if segment.extradata != segments[0].extradata:
            raise FidelityError(f"Segment {number} of {output} is encoded differently from the first: run again.")
        n_before += segment.n_frames
    if n_before != index.n_frames:
        raise FidelityError(
            f"The segments of {output} hold {n_before} frames, its source has {index.n_frames}: run again."
        )
