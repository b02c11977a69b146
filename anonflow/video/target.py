"""Choosing the container of the output: the source's own where it can hold the result exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anonflow.errors import UnsupportedFormatError
from anonflow.types import FrameIndex
from anonflow.video.carry import Selection
from anonflow.video.holding import says_all_languages, unheld
from anonflow.video.shift import applied_shift

_VIDEO_CODECS = {
    ".mp4": {"h264", "hevc", "av1", "vp9", "ffv1"},
    ".mov": {"h264", "hevc", "prores"},
    ".webm": {"av1", "vp9"},
}
_WITHOUT_PIXEL_ASPECT = {"av1", "vp9", "ffv1", "prores"}
"""They leave it to the container, and PyAV cannot set the field that Matroska's muxer reads."""
_MP4_FIRST = (".mp4", ".mov", ".mkv")
_PREFERENCES = {
    **dict.fromkeys((".mp4", ".m4v", ".3gp", ".3g2", ".ts", ".mts", ".m2ts", ".flv", ".f4v"), _MP4_FIRST),
    ".mov": (".mov", ".mp4", ".mkv"),
    ".webm": (".webm", ".mkv", ".mp4"),
}
_AT_HOME = {"prores": (".mov", ".mkv"), "ffv1": (".mkv", ".mp4")}
_OTHERS = (".mkv", ".mp4", ".mov")
_MATROSKA = (".mkv", ".webm")
_MATROSKA_TICKS_PER_S = 1000
_MAX_TIMESCALE = 2**31 - 1


def choose_container(
    index: FrameIndex, suffix: str, codec: str = "h264", selection: Selection | None = None
) -> str:
    """The output's file name extension: `.mp4`, `.mov`, `.mkv` or `.webm`.

    `suffix` is the source's extension, `codec` the family that the output is encoded with. MP4, MOV, Matroska and
    WebM stay what they are, MPEG-TS, FLV and 3GP become MP4, all else Matroska; ProRes goes to MOV, FFV1 to
    Matroska. Another one is taken when that one cannot hold the codecs, what is selected, the pixel aspect, or the
    timestamps exactly (Matroska counts in milliseconds). Without a selection it is all the sound, and nothing else.

    Raises:
        UnsupportedFormatError: no container can.
    """
    selection = selection or Selection.of_sound(index)
    extensions = [
        extension
        for extension in _AT_HOME.get(codec) or _PREFERENCES.get(suffix.lower(), _OTHERS)
        if codec in _VIDEO_CODECS.get(extension, {codec})
        and _holds_timestamps(extension, index)
        and _holds_pixel_aspect(extension, index, codec)
    ]
    able = [extension for extension in extensions if not unheld(extension, selection)]
    for extension in able:
        if says_all_languages(extension, selection):
            return extension
    if able:
        return able[0]
    raise UnsupportedFormatError(_refusal(extensions, codec, selection))


def _refusal(extensions: Sequence[str], codec: str, selection: Selection) -> str:
    limits = "; ".join(f"{e} not {', '.join(unheld(e, selection))}" for e in extensions)
    without_extras = replace(selection, others=(), keys={}, stream_keys={}, chapters=())
    if any(not unheld(e, without_extras) for e in extensions):
        return (
            f"No output container can hold {codec} video with all that is to be kept, with exact timestamps "
            f"({limits or 'none'}): take it off the lists under video (metadata, chapters, subtitles, data, "
            "attachments, cover), or choose another codec (video=h264 fits most)."
        )
    return (
        f"No output container can hold {codec} video, this sound and these timestamps together ({limits or 'none'})"
        ": choose another codec (video=h264 fits most), rewrite the source as MP4 or MKV first, for example with "
        "`ffmpeg -i IN -c:v copy -c:a aac OUT.mp4`, or use audio=drop."
    )


def _holds_pixel_aspect(extension: str, index: FrameIndex, codec: str) -> bool:
    return (
        extension not in _MATROSKA
        or codec not in _WITHOUT_PIXEL_ASPECT
        or index.stream.sample_aspect_ratio in (None, 1)
    )


def _holds_timestamps(extension: str, index: FrameIndex) -> bool:
    base = index.time_base
    if extension not in _MATROSKA:
        return base.denominator <= _MAX_TIMESCALE
    pts = index.pts + applied_shift(index, extension)
    return bool(np.all(pts * base.numerator * _MATROSKA_TICKS_PER_S % base.denominator == 0))
