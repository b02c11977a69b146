"""Which frames need no encoder: closed groups of pictures without a mask, copied packet by packet.

A group that is copied stands between groups that our encoder made, with parameter sets of its own. Decoders take
both from one stream when the sets have different ids and are all in the header; that is possible for H.264 in MP4
and MOV. What else must hold is checked here, and why it does not is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import av
import av.container
import av.error
import av.video
import numpy as np
from numpy.typing import NDArray

from anonflow.storage import StoragePath
from anonflow.types import FrameIndex, IntArray
from anonflow.video import h264
from anonflow.video.container import open_source
from anonflow.video.h264 import ParameterSets
from anonflow.video.seek import Packet, demux_video

_SUFFIXES = (".mp4", ".mov")
_KEPT = {h264.SLICE, h264.IDR}
_LEFT_OUT = {h264.SEI, h264.SPS, h264.PPS, h264.DELIMITER, h264.FILLER}
"""Messages may hold captions and user data, filler anything; parameter sets are in the header.

A group with units of any other kind (a second view, Dolby Vision, a vendor's own) is not copied.
"""
_MACROBLOCK_PX = 16


@dataclass(frozen=True)
class Groups:
    """The closed groups of a video, as half-open ranges of frames; or why nothing of it can be copied."""

    ranges: tuple[tuple[int, int], ...] = ()
    encoder_set_id: int = 0
    """Id of parameter sets that the source has none of."""
    refusal: str = ""


@dataclass(frozen=True)
class Run:
    """Frames in a row that are all copied, or all encoded."""

    start_frame: int
    stop_frame: int
    is_copied: bool

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.stop_frame - self.start_frame


def find_groups(path: StoragePath, index: FrameIndex, family: str, suffix: str) -> Groups:
    """Every closed group of the video behind `index`: from an IDR picture to the next one.

    `family` and `suffix` are the codec and the file name extension of the output. Reads all packets once. Groups
    with damaged or unusual packets are left out.
    """
    if refusal := _refusal(index, family, suffix):
        return Groups(refusal=refusal)
    with open_source(path) as container:
        stream = container.streams[index.stream_index]
        assert isinstance(stream, av.video.VideoStream)
        sets = parameter_sets_of(stream)
        if sets is None or not sets.sps:
            return Groups(refusal="its header has no parameter sets")
        if _hides_more_than_padding(path, index):
            return Groups(refusal="its coded picture is larger than what is shown")
        free_id = sets.free_id()
        if free_id is None:
            return Groups(refusal="it uses all ids of parameter sets")
        try:
            ranges = tuple(_closed(container, stream, index, sets))
        except _OtherSetsError:
            return Groups(refusal="its parameter sets change on the way")
    return Groups(ranges, free_id, "" if ranges else "it has no closed groups of pictures")


def plan_runs(groups: Groups, is_hidden: NDArray[np.bool_]) -> tuple[Run, ...]:
    """All frames in runs: copied where no frame of a group has anything hidden (`is_hidden` (n,)), else encoded."""
    n_before = np.concatenate(([0], np.cumsum(is_hidden)))
    clean = [(start, stop) for start, stop in groups.ranges if n_before[stop] == n_before[start]]
    copied: NDArray[np.bool_] = np.zeros(len(is_hidden), np.bool_)
    for start, stop in clean:
        copied[start:stop] = True
    changes = (np.flatnonzero(np.diff(copied)) + 1).tolist()
    bounds = [0, *changes, len(copied)]
    return tuple(Run(a, b, bool(copied[a])) for a, b in pairwise(bounds) if a < b)


def within(runs: Sequence[Run], start_frame: int, stop_frame: int) -> list[Run]:
    """The runs, cut to the frames `start_frame..stop_frame`."""
    cut = (Run(max(r.start_frame, start_frame), min(r.stop_frame, stop_frame), r.is_copied) for r in runs)
    return [run for run in cut if run.n_frames > 0]


def encoded_between(runs: Sequence[Run], start_frame: int, stop_frame: int) -> list[Run]:
    """The encoded ones of them."""
    return [run for run in within(runs, start_frame, stop_frame) if not run.is_copied]


def copied_packets(path: StoragePath, index: FrameIndex, runs: Iterable[Run]) -> Iterator[tuple[int, bytes, bool]]:
    """Display index, payload (Annex B) and keyframe flag of all packets of the copied runs, in decode order.

    Raises ValueError where a packet is not what `find_groups` saw.
    """
    is_wanted: NDArray[np.bool_] = np.zeros(index.n_frames, np.bool_)
    for run in runs:
        is_wanted[run.start_frame : run.stop_frame] |= run.is_copied
    if not is_wanted.any():
        return
    with open_source(path) as container:
        stream = container.streams[index.stream_index]
        assert isinstance(stream, av.video.VideoStream)
        sets = parameter_sets_of(stream)
        if sets is None:
            raise ValueError("the source's header changed")
        for packet in demux_video(container, stream):
            frame = _frame_of(packet, index)
            if frame >= 0 and is_wanted[frame]:
                yield frame, _slices_of(bytes(packet), sets), packet.is_keyframe


def parameter_sets_of(stream: av.video.VideoStream) -> ParameterSets | None:
    """The sets in the stream's header."""
    return h264.parameter_sets(bytes(stream.codec_context.extradata or b""))


def _hides_more_than_padding(path: StoragePath, index: FrameIndex) -> bool:
    """Whether cropping leaves out whole macroblocks: somebody may have been cut off, and would be copied along."""
    with open_source(path) as container:
        stream = container.streams[index.stream_index]
        assert isinstance(stream, av.video.VideoStream)
        context = stream.codec_context
        context.thread_count = 1
        if not any(context.decode(packet) for packet in demux_video(container, stream)):
            return True
        hidden = (context.coded_width - index.stream.width, context.coded_height - index.stream.height)
        return max(hidden) >= _MACROBLOCK_PX


def _refusal(index: FrameIndex, family: str, suffix: str) -> str:
    """What already the formats rule out; empty if nothing."""
    form = index.stream
    if form.codec != "h264" or family != "h264" or "mp4" not in index.container or suffix not in _SUFFIXES:
        return "only H.264 in MP4 and MOV can be copied in parts"
    if form.field_order != "progressive":
        return "it is interlaced, and its messages, which are removed, say how"
    if form.mastering_display or form.content_light:
        return "its HDR data is in messages, which are removed"
    return ""


class _OtherSetsError(Exception):
    """A packet brings parameter sets that are not in the header."""


def _closed(
    container: av.container.InputContainer, stream: av.video.VideoStream, index: FrameIndex, sets: ParameterSets
) -> Iterator[tuple[int, int]]:
    """Groups that are whole: every packet presented and sound, and no frame shown outside of the group's time."""
    group: list[int] = []
    is_sound = False
    for packet in demux_video(container, stream):
        if packet.has_sidedata("new_extradata"):  # a second description of samples
            raise _OtherSetsError
        frame, kinds = _frame_of(packet, index), _kinds(bytes(packet), sets)
        if h264.IDR in kinds:
            yield from _range(group, is_sound)
            group, is_sound = [], True
        group.append(frame)
        is_usual = bool(kinds & _KEPT) and kinds <= _KEPT | _LEFT_OUT
        is_sound &= frame >= 0 and not packet.is_corrupt and not packet.is_discard and is_usual
    yield from _range(group, is_sound)


def _range(group: list[int], is_sound: bool) -> list[tuple[int, int]]:
    """The group's frames as a range, if they are one and begin with the IDR picture."""
    if not group or not is_sound or sorted(group) != list(range(group[0], group[0] + len(group))):
        return []
    return [(group[0], group[0] + len(group))]


def _kinds(payload: bytes, sets: ParameterSets) -> set[int]:
    """The kinds of NAL units in a packet; none if it is malformed."""
    try:
        found = list(h264.units(payload, sets.length_size))
    except ValueError:
        return set()
    for unit in found:
        if h264.kind(unit) in (h264.SPS, h264.PPS) and unit not in (*sets.sps, *sets.pps):
            raise _OtherSetsError
    return {h264.kind(unit) for unit in found}


def _slices_of(payload: bytes, sets: ParameterSets) -> bytes:
    kept = (u for u in h264.units(payload, sets.length_size) if h264.kind(u) in _KEPT)
    return h264.with_start_codes(kept)


def _frame_of(packet: Packet, index: FrameIndex) -> int:
    """Display index of a packet's frame; -1 for one that is not presented."""
    if not packet.size or packet.pts is None or packet.is_discard:
        return -1
    position = int(np.searchsorted(index.pts, packet.pts))
    return position if position < index.n_frames and index.pts[position] == packet.pts else -1


def decode_order(index: FrameIndex, run: Run) -> IntArray:
    """Display indices of a copied run's frames in the order of their packets."""
    frames = np.arange(run.start_frame, run.stop_frame)
    return frames[np.argsort(index.decode_rank[run.start_frame : run.stop_frame])]
