"""Choosing the container of the output: the source's own where it can hold the result exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anonflow.errors import UnsupportedFormatError
from anonflow.types import FrameIndex
from anonflow.video.carry import Selection
from anonflow.video.holding import says_all_languages, unheld

_PREFERENCES = {
    ".mp4": (".mp4", ".mov", ".mkv"),
    ".m4v": (".mp4", ".mov", ".mkv"),
    ".mov": (".mov", ".mp4", ".mkv"),
    ".3gp": (".mp4", ".mov", ".mkv"),
    ".3g2": (".mp4", ".mov", ".mkv"),
    ".ts": (".mp4", ".mov", ".mkv"),
    ".mts": (".mp4", ".mov", ".mkv"),
    ".m2ts": (".mp4", ".mov", ".mkv"),
}
_OTHERS = (".mkv", ".mp4", ".mov")
_MATROSKA_TICKS_PER_S = 1000
_MAX_TIMESCALE = 2**31 - 1


def choose_container(index: FrameIndex, suffix: str, selection: Selection | None = None) -> str:
    """The output's file name extension: `.mp4`, `.mov` or `.mkv`.

    `suffix` is the source's extension. MP4, MOV and Matroska stay what they are, 3GP and MPEG-TS become MP4, all
    else Matroska; unless that container cannot hold what is selected, or the timestamps exactly (Matroska counts in
    milliseconds), and another one can. Without a selection it is all the sound, and nothing else.

    Raises:
        UnsupportedFormatError: no container can.
    """
    selection = selection or Selection.of_sound(index)
    if index.pts[0] < 0:
        raise UnsupportedFormatError(
            "The first frame has a negative timestamp, which no output container keeps: rewrite the source with "
            "`ffmpeg -i IN -c copy -avoid_negative_ts make_zero OUT`."
        )
    extensions = [e for e in _PREFERENCES.get(suffix.lower(), _OTHERS) if _holds_timestamps(e, index)]
    able = [e for e in extensions if not unheld(e, selection)]
    for extension in able:
        if says_all_languages(extension, selection):
            return extension
    if able:
        return able[0]
    raise UnsupportedFormatError(_refusal(extensions, selection))


def _refusal(extensions: Sequence[str], selection: Selection) -> str:
    limits = "; ".join(f"{e} not {', '.join(unheld(e, selection))}" for e in extensions)
    without_extras = replace(selection, others=(), keys={}, stream_keys={}, chapters=())
    if any(not unheld(e, without_extras) for e in extensions):
        return (
            f"No output container can hold all that is to be kept, with exact timestamps ({limits or 'none'}): "
            "take it off the lists under video (metadata, chapters, subtitles, data, attachments, cover)."
        )
    return (
        f"No output container can hold this sound and these timestamps together ({limits or 'none'}): rewrite the "
        "source as MP4 or MKV first, for example with `ffmpeg -i IN -c:v copy -c:a aac OUT.mp4`, or use audio=drop."
    )


def _holds_timestamps(extension: str, index: FrameIndex) -> bool:
    base = index.time_base
    if extension != ".mkv":
        return base.denominator <= _MAX_TIMESCALE
    return bool(np.all(index.pts * base.numerator * _MATROSKA_TICKS_PER_S % base.denominator == 0))
