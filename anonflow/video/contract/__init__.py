"""The fidelity contract: whether a finished file is the source with masks in it and nothing else changed.

Each point is a `Check`: equal, changed by policy, or broken. A point is compared in the module that its name says.
"""

from __future__ import annotations

from pathlib import Path

from anonflow.errors import SourceError
from anonflow.types import Check, FrameIndex
from anonflow.video.audio import digest_audio
from anonflow.video.contract.check import check
from anonflow.video.contract.damage import compare_damage
from anonflow.video.contract.decoding import check_decoding
from anonflow.video.contract.picture import compare_picture
from anonflow.video.contract.sound import compare_sound
from anonflow.video.contract.streams import compare_streams
from anonflow.video.contract.timing import compare_timing
from anonflow.video.probe import probe


def inspect(source: Path, index: FrameIndex, output: Path) -> tuple[Check, ...]:
    """Compare `output` with `source`, whose index is `index`, point by point.

    Reads both files once and decodes `output` to its end; memory does not grow with the frames' size or number
    beyond the index. Nothing is raised for a broken output: a check says so.
    """
    try:
        result = probe(output)
    except SourceError as error:
        return (check("readable", False, type(error).__name__),)
    return (
        check("readable", True),
        *compare_timing(index, result),
        *compare_picture(index.stream, result.stream),
        *compare_sound(digest_audio(source, index), digest_audio(output, result)),
        compare_streams(index, result),
        check_decoding(output, result),
        *compare_damage(index, output, result),
    )
