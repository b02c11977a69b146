"""Joining segments and the source's sound into one file. Packets are copied; nothing is encoded again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import av.container
import av.error
import av.stream
import av.video

from anonflow.errors import UnsupportedFormatError
from anonflow.storage import StoragePath, naming_storage_errors
from anonflow.types import FrameIndex
from anonflow.video.aperture import remove_apertures
from anonflow.video.carry import SOUND_ONLY, CarryPolicy, Selection, select
from anonflow.video.container import open_source, write_error
from anonflow.video.copying import Run
from anonflow.video.encoders import color_range
from anonflow.video.extras import add_extras, movie_flags
from anonflow.video.shift import applied_shift
from anonflow.video.splice import Splice

_MUXERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_FIELD_ORDERS = {"top": 2, "bottom": 3}  # AV_FIELD_TT, AV_FIELD_BB
_MIN_MOVIE_TIMESCALE = 90_000
_MAX_MOVIE_TIMESCALE = 2**31 - 1
_Packet: TypeAlias = "av.Packet[av.stream.Stream]"


def join(
    segments: Sequence[StoragePath],
    source: StoragePath,
    index: FrameIndex,
    output: Path,
    container: str,
    policy: CarryPolicy = SOUND_ONLY,
    runs: Sequence[Run] = (),
) -> None:
    """Write `output` from the segments of all chunks, in order, and what `policy` takes of `source` besides.

    Of the frames' `runs`, the copied ones are in no segment, but taken from the source; none: nothing is copied.

    Every video frame gets the timestamp that it has in `index`; packets of other streams are copied as they are,
    unless the policy changes the sound. `container` is what `choose_container` returned; `output` is a temporary
    name.

    Raises:
        FidelityError: the segments don't hold exactly the frames to encode, or differ in their encoding.
        UnsupportedFormatError: the container refuses the streams.
        EncodeError, DamagedVideoError: sound that is to be changed cannot be.
        StorageError: `output` cannot be written.
    """
    splice = Splice.of(segments, source, index, runs)
    with naming_storage_errors(output):
        output.touch()
    try:
        _mux(splice, source, index, output, container, select(source, index, policy))
        if container in (".mp4", ".mov"):
            remove_apertures(output)  # a copied stream brings it along, an encoded one cannot
    except (av.error.FFmpegError, ValueError) as error:
        raise write_error(error, output) or UnsupportedFormatError(
            f"{source} cannot be written as {container} ({type(error).__name__}): rewrite the source with "
            "`ffmpeg -i IN -c copy OUT.mkv` first, or re-encode its sound."
        ) from error


def _mux(
    splice: Splice,
    source: StoragePath,
    index: FrameIndex,
    output: Path,
    container: str,
    selection: Selection,
) -> None:
    shift_pts = applied_shift(index, container)
    with ExitStack() as stack:
        template = stack.enter_context(splice.template())
        opened_source = stack.enter_context(open_source(source))
        audio = [opened_source.streams[part.index] for part in selection.audio]
        options = _mux_options(container, index.time_base, audio, movie_flags(selection, container))
        out = stack.enter_context(
            av.open(f"file:{output.absolute()}", "w", format=_MUXERS[container], container_options=options)
        )
        video_out = _add_video(out, template, index, container)
        if header := splice.header():
            video_out.codec_context.extradata = header
        shift_s = shift_pts * index.time_base
        others = add_extras(out, video_out, opened_source, source, index, selection, container, shift_s)
        packets = heapq.merge(
            splice.packets(video_out, shift_pts), *(_later(p, shift_s) for p in others), key=_decode_time_s
        )
        for packet in packets:
            out.mux(packet)


def _mux_options(
    container: str, time_base: Fraction, audio: Sequence[av.stream.Stream], movie_flags: str
) -> dict[str, str]:
    options = {"fflags": "+bitexact"}  # no random ids: equal segments give an equal file
    if container in (".mkv", ".webm"):
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
    if form.sample_aspect_ratio:
        context.sample_aspect_ratio = form.sample_aspect_ratio
    context.color_range, context.color_primaries = color_range(form), form.color_primaries
    context.color_trc, context.colorspace = form.color_transfer, form.color_matrix
    if form.field_order != "progressive" and context.codec.canonical_name != "hevc":
        context.field_order = _FIELD_ORDERS[form.field_order]
    if form.rotation_deg:
        stream.set_display_rotation(form.rotation_deg)
    if context.codec.canonical_name == "prores":
        context.codec_tag = template.codec_context.codec_tag  # the profile; decoders learn the bit depth from it
    if context.codec.canonical_name == "hevc" and container in (".mp4", ".mov"):
        context.codec_tag = "hvc1"  # the parameter sets are in the header; Apple's players insist on this name
    return stream


def _later(packets: Iterator[_Packet], shift_s: Fraction) -> Iterator[_Packet]:
    """The packets with their timestamps moved; a whole number of ticks for sound, see `shift_to_zero`."""
    for packet in packets:
        shift = round(shift_s / packet.time_base) if shift_s else 0
        packet.pts = None if packet.pts is None else packet.pts + shift
        packet.dts = None if packet.dts is None else packet.dts + shift
        yield packet


def _decode_time_s(packet: _Packet) -> Fraction:
    time = packet.dts if packet.dts is not None else packet.pts
    return Fraction(0) if time is None else time * packet.time_base


def _time_base(stream: av.stream.Stream) -> Fraction:
    return stream.time_base or Fraction(1)
