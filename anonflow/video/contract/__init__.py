"""The fidelity contract: whether a finished file is the source with masks in it and nothing else changed.

Each point is a `Check`: equal, changed by policy, or broken. A point is compared in the module that its name says.
"""

from __future__ import annotations

from pathlib import Path

from anonflow.errors import SourceError
from anonflow.types import Check, FrameIndex
from anonflow.video.audio import digest_audio
from anonflow.video.contract.check import check
from anonflow.video.contract.codec import compare_codec
from anonflow.video.contract.decoding import check_decoding
from anonflow.video.contract.hdr import compare_hdr
from anonflow.video.contract.picture import compare_picture
from anonflow.video.contract.sidedata import compare_side_data
from anonflow.video.contract.sound import compare_sound
from anonflow.video.contract.streams import compare_streams
from anonflow.video.contract.timing import compare_timing
from anonflow.video.encoders import Encoding
from anonflow.video.probe import probe
from anonflow.video.shift import applied_shift


def inspect(source: Path, index: FrameIndex, output: Path, encoding: Encoding | None = None) -> tuple[Check, ...]:
    """Compare `output` with `source`, whose index is `index`, point by point.

    `encoding` is what the video was to be encoded as; without it any change of codec counts as meant.
    Reads both files once and decodes `output` to its end; memory does not grow with the frames' size or number
    beyond the index. Nothing is raised for a broken output: a check says so.
    """
    try:
        result = probe(output)
    except SourceError as error:
        return (check("readable", False, type(error).__name__),)
    shift_pts = applied_shift(index, output.suffix)
    return (
        check("readable", True),
        *compare_timing(index, result, shift_pts),
        compare_codec(index.stream, result.stream, encoding),
        *compare_picture(index.stream, result.stream),
        compare_hdr(index.stream, result.stream),
        compare_side_data(index.stream, result.stream),
        *compare_sound(digest_audio(source, index), digest_audio(output, result), shift_pts * index.time_base),
        compare_streams(index, result),
        *check_decoding(output, result),
    )
