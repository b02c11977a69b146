"""Choosing the container of the output: the source's own where it can hold the result exactly."""

from __future__ import annotations

import numpy as np

from anonflow.errors import UnsupportedFormatError
from anonflow.types import FrameIndex
from anonflow.video.shift import applied_shift

_SHARED_CODECS = {"aac", "mp3", "mp2", "ac3", "eac3", "alac"}
_PCM_KINDS = ("s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "u8", "s8", "alaw", "mulaw")
_AUDIO_CODECS = {
    ".mp4": _SHARED_CODECS | {"flac", "opus", "dts"},
    ".webm": {"opus", "vorbis"},
    ".mov": _SHARED_CODECS | {"amr_nb", "amr_wb"} | {f"pcm_{kind}" for kind in _PCM_KINDS},
}
"""What players expect to find there; Matroska takes every codec."""
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


def choose_container(index: FrameIndex, suffix: str, codec: str = "h264") -> str:
    """The output's file name extension: `.mp4`, `.mov`, `.mkv` or `.webm`.

    `suffix` is the source's extension, `codec` the family that the output is encoded with. MP4, MOV, Matroska and
    WebM stay what they are, MPEG-TS, FLV and 3GP become MP4, all else Matroska; ProRes goes to MOV, FFV1 to
    Matroska. Another one is taken when that one cannot hold the codecs, the pixel aspect, or the timestamps exactly
    (Matroska counts in milliseconds).

    Raises:
        UnsupportedFormatError: no container can.
    """
    for extension in _AT_HOME.get(codec) or _PREFERENCES.get(suffix.lower(), _OTHERS):
        if (
            codec in _VIDEO_CODECS.get(extension, {codec})
            and _holds_audio(extension, index)
            and _holds_timestamps(extension, index)
            and _holds_pixel_aspect(extension, index, codec)
        ):
            return extension
    raise UnsupportedFormatError(
        f"No output container can hold {codec} video, this sound and these timestamps together: choose another "
        "codec (video=h264 fits most), or rewrite the source as MP4 or MKV first, for example with "
        "`ffmpeg -i IN -c:v copy -c:a aac OUT.mp4`."
    )


def _holds_pixel_aspect(extension: str, index: FrameIndex, codec: str) -> bool:
    return (
        extension not in _MATROSKA
        or codec not in _WITHOUT_PIXEL_ASPECT
        or index.stream.sample_aspect_ratio in (None, 1)
    )


def _holds_audio(extension: str, index: FrameIndex) -> bool:
    codecs = {stream.codec for stream in index.audio}
    if extension == ".mkv":
        return "unknown" not in codecs
    return codecs <= _AUDIO_CODECS[extension]


def _holds_timestamps(extension: str, index: FrameIndex) -> bool:
    base = index.time_base
    if extension not in _MATROSKA:
        return base.denominator <= _MAX_TIMESCALE
    pts = index.pts + applied_shift(index, extension)
    return bool(np.all(pts * base.numerator * _MATROSKA_TICKS_PER_S % base.denominator == 0))
