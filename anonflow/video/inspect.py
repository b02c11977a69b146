"""The fidelity contract: whether a finished file is the source with masks in it and nothing else changed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from anonflow.errors import SourceError
from anonflow.types import Check, FrameIndex, StreamFormat, Verdict
from anonflow.video.audio import AudioDigest, digest_audio
from anonflow.video.decode import decode_range
from anonflow.video.logs import captured_warnings
from anonflow.video.probe import probe

_TICK_S = Fraction(1, 1000)
"""Matroska's clock, which rounds what is not a video timestamp."""
_UNSPECIFIED_RANGE, _LIMITED_RANGE, _FULL_RANGE = 0, 1, 2


def inspect(source: Path, index: FrameIndex, output: Path) -> tuple[Check, ...]:
    """Compare `output` with `source`, whose index is `index`, point by point.

    Reads both files once and decodes `output` to its end; memory does not grow with the frames' size or number
    beyond the index. Nothing is raised for a broken output: a check says so.
    """
    try:
        result = probe(output)
    except SourceError as error:
        return (_check("readable", False, type(error).__name__),)
    return (
        _check("readable", True),
        *_compare_time(index, result),
        *_compare_format(index.stream, result.stream),
        *_compare_audio(digest_audio(source, index), digest_audio(output, result)),
        _compare_streams(index, result),
        _check_decoding(output, result),
    )


def _check(name: str, holds: bool, detail: str = "") -> Check:
    return Check(name, Verdict.EQUAL if holds else Verdict.BROKEN, detail)


def _compare_time(source: FrameIndex, result: FrameIndex) -> tuple[Check, ...]:
    ends_s = [i.end_pts * i.time_base for i in (source, result)]
    same_end = abs(ends_s[0] - ends_s[1]) <= _end_tolerance_s(source, result)
    return (
        _check("frames", source.n_frames == result.n_frames, f"{source.n_frames} and {result.n_frames}"),
        _check("timestamps", _equal_times(source, result)),
        _check("duration", same_end, f"{float(ends_s[0]):.3f} s"),
    )


def _end_tolerance_s(source: FrameIndex, result: FrameIndex) -> Fraction:
    """How far the ends may lie apart while all timestamps are equal.

    Only the last frame's duration can differ. With B-frames MP4 does not store it: its sample durations are steps
    in decode order, so the last frame shown may have that of any other.
    """
    if not source.reorder_depth and not result.reorder_depth:
        return _TICK_S
    return _TICK_S + int(np.diff(source.pts).max(initial=0)) * source.time_base


def _equal_times(source: FrameIndex, result: FrameIndex) -> bool:
    """Compared as fractions of a second: integers after both are multiplied by the other's denominator."""
    ratio = source.time_base / result.time_base
    return source.n_frames == result.n_frames and bool(
        np.array_equal(source.pts * ratio.numerator, result.pts * ratio.denominator)
    )


def _compare_format(source: StreamFormat, result: StreamFormat) -> tuple[Check, ...]:
    sizes = [(form.width, form.height) for form in (source, result)]
    rotations = [form.rotation_deg % 360 for form in (source, result)]
    aspects = [form.sample_aspect_ratio or Fraction(1) for form in (source, result)]
    formats = [form.pixel_format.replace("yuvj", "yuv") for form in (source, result)]
    return (
        _check("size", sizes[0] == sizes[1], "{}x{}".format(*sizes[1])),
        _check("rotation", rotations[0] == rotations[1], f"{rotations[1]} degrees"),
        _check("pixel aspect", aspects[0] == aspects[1], str(aspects[1])),
        _check("pixel format", formats[0] == formats[1], f"{formats[0]} and {formats[1]}"),
        _check("colour tags", _colour_tags(source) == _colour_tags(result)),
    )


def _colour_tags(form: StreamFormat) -> tuple[int, ...]:
    """An unspecified range means the limited one, which is what AV1 writes for it; `yuvj` means the full one."""
    color_range = form.color_range
    if form.pixel_format.startswith("yuvj"):
        color_range = _FULL_RANGE
    elif color_range == _UNSPECIFIED_RANGE:
        color_range = _LIMITED_RANGE
    return color_range, form.color_primaries, form.color_transfer, form.color_matrix


def _compare_audio(source: tuple[AudioDigest, ...], result: tuple[AudioDigest, ...]) -> tuple[Check, ...]:
    same_packets = [a.content for a in source] == [b.content for b in result]
    in_step = len(source) == len(result) and all(
        abs(a.start_s - b.start_s) <= _TICK_S for a, b in zip(source, result, strict=True)
    )
    packets = f"{len(source)} streams, {sum(a.n_packets for a in source)} packets"
    if any(a.was_framed for a in source):
        packets += ", without their transport framing"
    return _check("audio packets", same_packets, packets), _check("audio timing", in_step)


def _compare_streams(source: FrameIndex, result: FrameIndex) -> Check:
    """The output has one video stream, the audio streams, and nothing else."""
    if result.removed_streams:
        return _check("other streams", False, ", ".join(result.removed_streams))
    if source.removed_streams:
        return Check("other streams", Verdict.CHANGED_BY_POLICY, "removed: " + ", ".join(source.removed_streams))
    return _check("other streams", True, "none")


def _check_decoding(output: Path, result: FrameIndex) -> Check:
    with captured_warnings() as lines:
        try:
            n_frames = sum(1 for _ in decode_range(output, result, int(result.pts[0]), result.end_pts))
        except SourceError as error:
            return _check("decodes", False, type(error).__name__)
    return _check("decodes", not lines, f"{n_frames} frames, {len(lines)} warnings")
