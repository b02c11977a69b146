"""Choosing the container of the output: the source's own where it can hold the result exactly."""

from __future__ import annotations

import numpy as np

from anonflow.errors import UnsupportedFormatError
from anonflow.types import FrameIndex

_SHARED_CODECS = {"aac", "mp3", "mp2", "ac3", "eac3", "alac"}
_PCM_KINDS = ("s16le", "s16be", "s24le", "s24be", "s32le", "s32be", "u8", "s8", "alaw", "mulaw")
_AUDIO_CODECS = {
    ".mp4": _SHARED_CODECS | {"flac", "opus", "dts"},
    ".mov": _SHARED_CODECS | {"amr_nb", "amr_wb"} | {f"pcm_{kind}" for kind in _PCM_KINDS},
}
"""What players expect to find there; Matroska takes every codec."""
_PREFERENCES = {
    ".mp4": (".mp4", ".mov", ".mkv"),
    ".m4v": (".mp4", ".mov", ".mkv"),
    ".mov": (".mov", ".mp4", ".mkv"),
    ".ts": (".mp4", ".mov", ".mkv"),
    ".mts": (".mp4", ".mov", ".mkv"),
    ".m2ts": (".mp4", ".mov", ".mkv"),
}
_OTHERS = (".mkv", ".mp4", ".mov")
_MATROSKA_TICKS_PER_S = 1000
_MAX_TIMESCALE = 2**31 - 1


def choose_container(index: FrameIndex, suffix: str) -> str:
    """The output's file name extension: `.mp4`, `.mov` or `.mkv`.

    `suffix` is the source's extension. MP4, MOV and Matroska stay what they are, MPEG-TS becomes MP4, all else
    Matroska; unless that container cannot hold the audio codecs, or the timestamps exactly (Matroska counts in
    milliseconds), and another one can.

    Raises:
        UnsupportedFormatError: no container can.
    """
    if index.pts[0] < 0:
        raise UnsupportedFormatError(
            "The first frame has a negative timestamp, which no output container keeps: rewrite the source with "
            "`ffmpeg -i IN -c copy -avoid_negative_ts make_zero OUT`."
        )
    for extension in _PREFERENCES.get(suffix.lower(), _OTHERS):
        if _holds_audio(extension, index) and _holds_timestamps(extension, index):
            return extension
    raise UnsupportedFormatError(
        "No output container can hold this sound and these timestamps together: rewrite the source as MP4 or MKV "
        "first, for example with `ffmpeg -i IN -c:v copy -c:a aac OUT.mp4`."
    )


def _holds_audio(extension: str, index: FrameIndex) -> bool:
    codecs = {stream.codec for stream in index.audio}
    if extension == ".mkv":
        return "unknown" not in codecs
    return codecs <= _AUDIO_CODECS[extension]


def _holds_timestamps(extension: str, index: FrameIndex) -> bool:
    base = index.time_base
    if extension != ".mkv":
        return base.denominator <= _MAX_TIMESCALE
    return bool(np.all(index.pts * base.numerator * _MATROSKA_TICKS_PER_S % base.denominator == 0))
