"""Finding the frames that damage has touched, or may have touched, so that they can be hidden whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from anonflow.errors import DamagedVideoError
from anonflow.storage import StoragePath
from anonflow.types import FrameIndex, IntArray
from anonflow.video.container import open_source
from anonflow.video.decode import BrokenFrameError, sound_frames
from anonflow.video.keyframe import heals
from anonflow.video.seek import demux_video, video_position
from anonflow.video.tally import is_presented

_RECOPY = "copy the file again from where it was recorded."


def mark_damage(path: StoragePath, index: FrameIndex) -> FrameIndex:
    """The index with `damaged` filled in, by decoding the whole video once.

    Damaged is what the demuxer or the decoder complains of, and what never comes; with it, for they may depend on
    it, all frames up to the next picture in display order that depends on nothing before (see `heals`). There a
    fresh decoder goes on, for the old one may remember broken parameter sets. Found once for the whole video, so
    all chunks hide the same frames.

    Raises:
        DamagedVideoError: the file cannot be read to its end, or not a single frame is sound.
        UnsupportedFormatError: the size or pixel format changes within the video.
    """
    start, healing = 0, None
    while start < index.n_frames and (rank := _first_broken(path, index, start)) is not None:
        if healing is None:
            healing = healing_ranks(path, index)
        hidden, start = spread(index, max(rank, int(index.decode_rank[start])), healing)
        index = replace(index, damaged=np.union1d(index.damaged, hidden).astype(np.int64))
    if len(index.damaged) == index.n_frames:
        raise DamagedVideoError(f"{path}: every frame is damaged or may be: {_RECOPY}")
    return index


def spread(index: FrameIndex, broken_rank: int, healing: IntArray) -> tuple[IntArray, int]:
    """Display indices of the frames to hide because of one broken one, and that of the first frame behind them.

    `broken_rank` and `healing` are decode ranks, the latter sorted, of pictures that depend on nothing that was
    decoded before. Up to the next of them everything is hidden: whatever is decoded in between, and whatever is
    displayed between the earliest of those and that picture.
    """
    display = np.empty(index.n_frames, np.int64)
    display[index.decode_rank] = np.arange(index.n_frames)
    following = healing[np.searchsorted(healing, broken_rank, side="right") :]
    reached = int(following[0]) if len(following) else index.n_frames
    end = int(display[reached]) if reached < index.n_frames else index.n_frames
    hidden: NDArray[np.bool_] = np.zeros(index.n_frames, np.bool_)
    shown = display[broken_rank:reached]
    hidden[shown] = True
    hidden[int(shown.min()) : end] = True
    places = np.flatnonzero(hidden).astype(np.int64)
    return places, max(end, int(places[-1]) + 1)


def healing_ranks(path: StoragePath, index: FrameIndex) -> IntArray:
    """Decode ranks, sorted, of the pictures that depend on nothing that was decoded before (see `heals`).

    Raises:
        DamagedVideoError: the file cannot be read to its end.
    """
    found, rank = [], 0
    with open_source(path) as container:
        stream = container.streams.video[video_position(container, index)]
        for packet in demux_video(container, stream):
            if is_presented(packet):
                if packet.is_keyframe and not packet.is_corrupt and heals(packet, stream.codec_context):
                    found.append(rank)
                rank += 1
    return np.array(found, np.int64)


def _first_broken(path: StoragePath, index: FrameIndex, start: int) -> int | None:
    """Decode rank of the first broken frame when decoding begins afresh at the display index `start`."""
    try:
        for _ in sound_frames(path, index, start, index.n_frames):
            pass
    except BrokenFrameError as error:
        return error.rank
    return None
