"""Finding the frames that damage has touched, or may have touched, so that they can be hidden whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import av
import av.container
import av.error
import av.video
import numpy as np
from numpy.typing import NDArray

from anonflow.errors import DamagedVideoError
from anonflow.types import FrameIndex, IntArray
from anonflow.video.container import open_source
from anonflow.video.decode import (
    Packet,
    check_format,
    configure,
    decode_packet,
    demux_video,
    video_position,
)
from anonflow.video.keyframe import heals
from anonflow.video.probe import is_presented


def mark_damage(path: Path, index: FrameIndex) -> FrameIndex:
    """The index with `damaged` filled in, by decoding the whole video once.

    Damaged is what the demuxer or the decoder complains of, and what never comes; with it, for they may depend on
    it, all frames up to the next picture in display order that depends on nothing before (see `heals`). It is
    found once for the whole video, so all chunks hide the same frames.

    Raises:
        DamagedVideoError: the file cannot be read to its end, or not a single frame is sound.
        UnsupportedFormatError: the size or pixel format changes within the video.
    """
    signs = _Signs(index)
    with open_source(path) as container:
        stream = container.streams.video[video_position(container, index)]
        configure(stream.codec_context, index)
        for packet in chain(_demux(container, stream, path), [None]):
            signs.before(packet, stream)
            frames, complains = decode_packet(stream.codec_context, packet)
            signs.after(packet, frames, complains, path)
    damaged = spread(index, signs.bad_ranks(), np.array(signs.healing, np.int64))
    if len(damaged) == index.n_frames:
        raise DamagedVideoError(
            f"{path}: every frame is damaged or may be: copy it again from where it was recorded."
        )
    return replace(index, damaged=damaged)


def spread(index: FrameIndex, bad_ranks: IntArray, healing_ranks: IntArray) -> IntArray:
    """Display indices, sorted, of the frames to hide.

    `bad_ranks` and `healing_ranks` are decode ranks: of damaged frames, and of pictures that depend on nothing
    that was decoded before. From each bad one to the next sound healing picture everything is hidden: whatever is
    decoded in between, and whatever is displayed between the earliest of those and that picture.
    """
    display = np.empty(index.n_frames, np.int64)
    display[index.decode_rank] = np.arange(index.n_frames)
    healing = np.setdiff1d(healing_ranks, bad_ranks)
    hidden: NDArray[np.bool_] = np.zeros(index.n_frames, np.bool_)
    reached = -1
    for rank in np.unique(bad_ranks).tolist():
        if rank < reached:
            continue
        following = healing[np.searchsorted(healing, rank) :]
        reached = int(following[0]) if len(following) else index.n_frames
        shown = display[rank:reached]
        hidden[shown] = True
        hidden[shown.min() : int(display[reached]) if reached < index.n_frames else index.n_frames] = True
    return np.flatnonzero(hidden).astype(np.int64)


@dataclass
class _Signs:
    """What one pass over the video tells of damage, by decode rank."""

    index: FrameIndex
    rank: int = 0
    """Of the packet that goes in now; packets that present no frame count as the next one that does."""
    bad: set[int] = field(default_factory=set)
    healing: list[int] = field(default_factory=list)
    seen: dict[int, None] = field(default_factory=dict)
    """Display indices of the frames that came out, in their order."""

    def before(self, packet: Packet | None, stream: av.video.VideoStream) -> None:
        if (
            packet is not None
            and packet.is_keyframe
            and is_presented(packet)
            and heals(packet, stream.codec_context)
        ):
            self.healing.append(self.rank)

    def after(self, packet: Packet | None, frames: Iterable[av.VideoFrame], complains: bool, path: Path) -> None:
        if complains or (packet is not None and packet.is_corrupt):
            self._add(self.rank)
        for frame in frames:
            self._see(frame, path)
        if packet is not None and is_presented(packet):
            self.rank += 1

    def bad_ranks(self) -> IntArray:
        """Damaged ranks, those of frames that never came among them."""
        missing = np.setdiff1d(np.arange(self.index.n_frames), np.array([*self.seen], np.int64))
        return np.union1d(self.index.decode_rank[missing], np.array(sorted(self.bad), np.int64)).astype(np.int64)

    def _see(self, frame: av.VideoFrame, path: Path) -> None:
        check_format(frame, path, self.index)
        place = self.index.display_index(frame.pts)
        if place is None:
            self._add(self.rank)
            return
        last = next(reversed(self.seen), -1)
        if frame.is_corrupt or place <= last:
            self._add(int(self.index.decode_rank[place]))
        if place > last:
            self.seen[place] = None

    def _add(self, rank: int) -> None:
        self.bad.add(min(rank, self.index.n_frames - 1))


def _demux(container: av.container.InputContainer, stream: av.video.VideoStream, path: Path) -> Iterator[Packet]:
    try:
        yield from demux_video(container, stream)
    except (av.error.FFmpegError, IndexError) as error:  # IndexError: a stream that appears late in a corrupt TS
        raise DamagedVideoError(
            f"{path} cannot be read to its end: copy the file again from where it was recorded."
        ) from error
