"""Whether the output decodes to its end without a complaint."""

from __future__ import annotations

from anonflow.errors import SourceError
from anonflow.storage import StoragePath
from anonflow.types import Check, FrameIndex
from anonflow.video.carry import Selection
from anonflow.video.contract.check import check
from anonflow.video.contract.sidedata import FORBIDDEN
from anonflow.video.decode import decode_range
from anonflow.video.logs import captured_warnings
from anonflow.video.sidedata import side_data_names

_COVER_IN_MP4 = "timescale not set"
_TITLE_IN_MP4 = "UDTA parsing failed"
_UNEVEN_TIMES = "DTS discontinuity in stream"
"""A guess from the distances of the first frames. The timestamps are compared one by one, as fractions."""
_UNKNOWN_STREAM = ("Could not find codec parameters for stream", "Consider increasing the value for")


def tolerated(selection: Selection) -> tuple[str, ...]:
    """What FFmpeg says on opening a sound file that holds what was selected, whoever wrote it."""
    covers = (_COVER_IN_MP4,) if selection.of_kind("cover") else ()
    unknown = _UNKNOWN_STREAM if selection.of_kind("attachment") or selection.of_kind("data") else ()
    titles = (_TITLE_IN_MP4,) if any("title" in keys for keys in selection.stream_keys.values()) else ()
    return (_UNEVEN_TIMES, *covers, *unknown, *titles)


def check_decoding(output: StoragePath, result: FrameIndex, expected: tuple[str, ...] = ()) -> tuple[Check, ...]:
    """Decode every frame; a warning is as bad as an error, unless it has the words of an `expected` one.

    No frame may carry captions or user data.
    """
    n_frames, left = 0, set[str]()
    with captured_warnings() as lines:
        try:
            for _, frame in decode_range(output, result, int(result.pts[0]), result.end_pts):
                n_frames += 1
                left |= FORBIDDEN.intersection(side_data_names(frame))
        except SourceError as error:
            return (check("decodes", False, type(error).__name__),)
    warnings = [line for line in lines if not any(words in line[2] for words in expected)]
    return (
        check("decodes", not warnings, f"{n_frames} frames, {len(warnings)} warnings"),
        check("captions and user data", not left, ", ".join(sorted(left)) or "none"),
    )
