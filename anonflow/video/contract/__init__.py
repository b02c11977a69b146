"""The fidelity contract: whether a finished file is the source with masks in it and nothing else changed.

Each point is a `Check`: equal, changed by policy, or broken. A point is compared in the module that its name says.
"""

from __future__ import annotations

from fractions import Fraction

from anonflow.errors import SourceError
from anonflow.storage import StoragePath
from anonflow.types import Check, FrameIndex
from anonflow.video.audio import digest_audio
from anonflow.video.carry import SOUND_ONLY, CarryPolicy, Selection, select_from
from anonflow.video.contract.aperture import compare_aperture
from anonflow.video.contract.check import check
from anonflow.video.contract.codec import compare_codec
from anonflow.video.contract.damage import compare_damage
from anonflow.video.contract.decoding import check_decoding, tolerated
from anonflow.video.contract.hdr import compare_hdr
from anonflow.video.contract.metadata import compare_chapters, compare_metadata
from anonflow.video.contract.picture import compare_picture
from anonflow.video.contract.sidedata import compare_side_data
from anonflow.video.contract.sound import check_headers, compare_changed, compare_dropped, compare_sound
from anonflow.video.contract.streams import (
    compare_contents,
    compare_languages,
    compare_streams,
    digest_streams,
    removed_layers,
)
from anonflow.video.contract.timing import compare_timing
from anonflow.video.encoders import Encoding
from anonflow.video.inventory import Inventory, Part, take_inventory
from anonflow.video.probe import probe
from anonflow.video.shift import applied_shift


def inspect(
    source: StoragePath,
    index: FrameIndex,
    output: StoragePath,
    policy: CarryPolicy = SOUND_ONLY,
    encoding: Encoding | None = None,
) -> tuple[Check, ...]:
    """Compare `output` with `source`, whose index is `index`, point by point, under a policy of what is kept.

    `encoding` is what the video was to be encoded as; without it any change of codec counts as meant.
    Reads both files and decodes `output` to its end; memory does not grow with the frames' size or number beyond
    the index. Nothing is raised for a broken output: a check says so.
    """
    try:
        result = probe(output)
        found = take_inventory(output, result.stream_index)
    except SourceError as error:
        return (check("readable", False, type(error).__name__),)
    shift_pts = applied_shift(index, output.suffix)
    before = take_inventory(source, index.stream_index)
    selection = select_from(before, policy)
    return (
        check("readable", True),
        *compare_timing(index, result, shift_pts),
        compare_codec(index.stream, result.stream, encoding),
        *compare_picture(index.stream, result.stream),
        compare_aperture(source, index, output, result),
        compare_hdr(index.stream, result.stream),
        compare_side_data(index.stream, result.stream),
        *_compare_sound(source, index, output, result, selection, found, shift_pts * index.time_base),
        check_headers(output, found),
        compare_streams(selection, removed_layers(index), found),
        *compare_contents(
            digest_streams(source, selection.others, shift_pts * index.time_base),
            digest_streams(output, _others(found)),
        ),
        compare_languages(output.suffix, selection, found),
        compare_metadata(selection, found),
        compare_chapters(selection, found, shift_pts * index.time_base),
        *check_decoding(output, result, tolerated(selection)),
        *compare_damage(index, output, result),
    )


def _compare_sound(
    source: StoragePath,
    index: FrameIndex,
    output: StoragePath,
    result: FrameIndex,
    selection: Selection,
    found: Inventory,
    shift_s: Fraction,
) -> tuple[Check, ...]:
    if selection.sound.mode == "drop":
        return (compare_dropped(len(index.audio), len(result.audio)),)
    if selection.sound.is_changed:
        first_frame_s = int(index.pts[0]) * index.time_base
        return compare_changed(source, output, selection, found, first_frame_s, shift_s)
    return compare_sound(digest_audio(source, index), digest_audio(output, result), shift_s)


def _others(found: Inventory) -> list[Part]:
    return [part for part in found.parts if part.kind not in ("audio", "chapter track")]
