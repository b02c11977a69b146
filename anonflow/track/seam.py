"""Tracks of chunks that were tracked alone, made one: speculate, compare, replay.

Every chunk tracks alone, warmed up on the frames before it. At its start, its guess of the tracker's state is
compared with the true one. If they are equal but for names, everything that follows is equal but for names,
because the tracker is a function of its state: the chunk's result is renamed. If not, both are stepped over the
chunk's own frames until they are equal, and the rest is renamed; at worst the whole chunk is tracked again. So
the result is that of one pass, to the bit, for any chunks and any overlap.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Self

import numpy as np

from anonflow.track.appearance import Looks
from anonflow.track.params import TrackerParams
from anonflow.track.state import Renaming, TrackerState
from anonflow.track.timeline import Timeline
from anonflow.track.tracker import run, sorted_points
from anonflow.types import Observations, Tracks


@dataclass(frozen=True, eq=False)
class ChunkTracks:
    """The tracks of a chunk alone: state at its start, points over `start_frame..stop_frame`, state at its end."""

    start_frame: int
    stop_frame: int
    start_state: TrackerState
    tracks: Tracks
    end_state: TrackerState

    def to_bytes(self) -> bytes:
        """As an npz file."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            **{f"tracks.{f.name}": getattr(self.tracks, f.name) for f in fields(Tracks)},
            **{f"start.{f.name}": getattr(self.start_state, f.name) for f in fields(TrackerState)},
            **{f"end.{f.name}": getattr(self.end_state, f.name) for f in fields(TrackerState)},
            frames=np.array((self.start_frame, self.stop_frame)),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """What `to_bytes` gave."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            start_frame, stop_frame = arrays["frames"].tolist()
            tracks = Tracks(**{f.name: arrays[f"tracks.{f.name}"] for f in fields(Tracks)})
            states = [{f.name: arrays[f"{at}.{f.name}"] for f in fields(TrackerState)} for at in ("start", "end")]
        start, end = (TrackerState(**state | {"next_id": int(state["next_id"])}) for state in states)
        return cls(start_frame, stop_frame, start, tracks, end)


@dataclass(frozen=True)
class StitchStats:
    """How the seams of a video went: per seam, the frames that were tracked again (0: the guess was right)."""

    replayed_frames: tuple[int, ...]

    @property
    def n_seams(self) -> int:
        """Number of boundaries between chunks."""
        return len(self.replayed_frames)

    @property
    def n_right_guesses(self) -> int:
        """Number of seams at which nothing had to be tracked again."""
        return self.replayed_frames.count(0)


@dataclass(frozen=True, eq=False)
class Way:
    """How a video is tracked: in which time, with which rounds, by whose looks."""

    timeline: Timeline
    params: TrackerParams
    looks: Looks | None = None

    def run(
        self, state: TrackerState, seen: Observations, start_frame: int, stop_frame: int
    ) -> tuple[TrackerState, Tracks]:
        """As `tracker.run`."""
        return run(state, seen, start_frame, stop_frame, self.timeline, self.params, self.looks)


def track_chunk(seen: Observations, lead_frame: int, start_frame: int, stop_frame: int, way: Way) -> ChunkTracks:
    """Track the chunk `start_frame..stop_frame` alone, beginning with nothing at `lead_frame`."""
    start_state, _ = way.run(TrackerState.empty(way.params.gallery), seen, lead_frame, start_frame)
    end_state, tracks = way.run(start_state, seen, start_frame, stop_frame)
    return ChunkTracks(start_frame, stop_frame, start_state, tracks, end_state)


def stitch(
    chunks: Sequence[ChunkTracks], load: Callable[[int], Observations], way: Way
) -> tuple[Tracks, StitchStats]:
    """The tracks that one pass over the whole video would give, ids included.

    `chunks` tile the video in order. `load` gives what was seen in the chunk at a position of `chunks` (overlap
    included or not); it is called only where frames must be tracked again. Raises ValueError if there is a frame
    that no chunk owns, or more than one.
    """
    _check_tiling(chunks)
    state, parts, replayed_frames = TrackerState.empty(way.params.gallery), [], []
    for position, chunk in enumerate(chunks):
        state, tracks, n_replayed = _continue(state, chunk, partial(load, position), way)
        parts.append(tracks)
        replayed_frames.append(n_replayed)
    return sorted_points(Tracks.concat(parts)), StitchStats(tuple(replayed_frames[1:]))


def coincide(true: TrackerState, guess: TrackerState) -> bool:
    """Whether a guess is the true state under other names. Everything rests on this comparison."""
    return true.equals_but_names(guess)


def _check_tiling(chunks: Sequence[ChunkTracks]) -> None:
    starts = [chunk.start_frame for chunk in chunks]
    stops = [chunk.stop_frame for chunk in chunks]
    if starts != [0, *stops[:-1]][: len(starts)]:
        raise ValueError("The chunks do not tile the video; pass all of them, in order.")


def _continue(
    true: TrackerState, chunk: ChunkTracks, load: Callable[[], Observations], way: Way
) -> tuple[TrackerState, Tracks, int]:
    """The true state at the chunk's end, its true points, and how many of its frames were tracked again."""
    guess, frame, replayed = chunk.start_state, chunk.start_frame, [Tracks.empty()]
    seen = Observations.empty() if coincide(true, guess) else load()
    while not coincide(true, guess):
        if frame == chunk.stop_frame:
            return true, Tracks.concat(replayed), frame - chunk.start_frame
        true, tracks = way.run(true, seen, frame, frame + 1)
        guess, _ = way.run(guess, seen, frame, frame + 1)
        replayed.append(tracks)
        frame += 1
    renaming = Renaming(guess, true)
    rest = chunk.tracks[np.searchsorted(chunk.tracks.frames, frame) :]
    renamed = replace(rest, track_ids=renaming.ids(rest.track_ids))
    return renaming.state(chunk.end_state), Tracks.concat([*replayed, renamed]), frame - chunk.start_frame
