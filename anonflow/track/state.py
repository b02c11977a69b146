"""The tracker's state as a value: it can be written, compared and renamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from anonflow.track.appearance import NOBODY
from anonflow.track.kalman import BOX, COVARIANCE, Reals, at_rest
from anonflow.types import IntArray

_ID, _LABEL, _HITS, _LAST_FRAME, _GALLERY = range(5)


@dataclass(frozen=True, eq=False)
class TrackerState:
    """All tracks that are alive after a frame, one row each, in two tables so that rows are cheap to take and join.

    Rows stand in the order of the detection that each track saw last: newest frame first, then by position among
    that frame's detections. So the order follows from the detections alone, and two runs with the same tracks
    have them in the same rows whatever they call them. `track_ids` and `next_id` are names: no decision looks
    at them.

    `motion` (n, 11) as in `kalman`. `counts` (n, 4 + g) int64: track id, label, associations counted up to the
    `min_hits` that confirm a track, frame of the last detection, and references to the last detections, newest
    first (see `appearance`; g is 0 for trackers that do not look).
    """

    counts: IntArray
    motion: Reals
    next_id: int

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, rows: Any) -> Self:
        return type(self)(self.counts[rows], self.motion.T[:, rows].T, self.next_id)

    @property
    def track_ids(self) -> IntArray:
        """Names of the tracks (n,)."""
        return self.counts[:, _ID]

    @property
    def labels(self) -> IntArray:
        """Label codes (n,)."""
        return self.counts[:, _LABEL]

    @property
    def hits(self) -> IntArray:
        """Associations (n,), counted up to `min_hits`."""
        return self.counts[:, _HITS]

    @property
    def last_frames(self) -> IntArray:
        """Frames of the last detections (n,)."""
        return self.counts[:, _LAST_FRAME]

    @property
    def gallery(self) -> IntArray:
        """References (n, g) to the last detections."""
        return self.counts[:, _GALLERY:]

    @property
    def boxes(self) -> Reals:
        """Where the tracks are (n, 4), in px."""
        return self.motion[:, BOX]

    @property
    def covariances(self) -> Reals:
        """How sure that is (n, 3), as in `kalman`."""
        return self.motion[:, COVARIANCE]

    @classmethod
    def empty(cls, gallery: int = 0, next_id: int = 0) -> Self:
        """No track is alive; the next one is called `next_id`."""
        return cls(np.zeros((0, _GALLERY + gallery), np.int64), at_rest(0), next_id)

    @classmethod
    def born(cls, first_id: int, labels: Any, motion: Reals, frame: int, gallery: int) -> Self:
        """Tracks of these labels (n,) that begin in a frame; their galleries are empty."""
        counts = np.full((len(motion), _GALLERY + gallery), NOBODY, np.int64)
        counts[:, _ID] = range(first_id, first_id + len(motion))
        counts[:, _LABEL], counts[:, _HITS], counts[:, _LAST_FRAME] = labels, 1, frame
        return cls(counts, motion, first_id + len(motion))

    def with_motion(self, motion: Reals) -> Self:
        """The same tracks, elsewhere."""
        return type(self)(self.counts, motion, self.next_id)

    def seen_again(self, rows: IntArray, motion: Reals, frame: int, min_hits: int) -> Self:
        """The tracks of these rows (n,), all of them found in a frame, with these motions (n, 11)."""
        counts = self.counts.take(rows, axis=0)
        if min_hits > 1:
            hits = counts[:, _HITS]
            hits += 1
            np.minimum(hits, min_hits, out=hits)
        counts[:, _LAST_FRAME] = frame
        return type(self)(counts, motion, self.next_id)

    def remembering(self, references: IntArray) -> Self:
        """The same tracks, with a reference (n,) put first into each gallery and the oldest forgotten."""
        counts = self.counts.copy()
        counts[:, _GALLERY + 1 :] = self.counts[:, _GALLERY:-1]
        counts[:, _GALLERY] = references
        return type(self)(counts, self.motion, self.next_id)

    def renamed(self, track_ids: IntArray, next_id: int) -> Self:
        """The same tracks under other names."""
        counts = self.counts.copy()
        counts[:, _ID] = track_ids
        return type(self)(counts, self.motion, next_id)

    def then(self, other: Self) -> Self:
        """These rows, then those of `other`, a part of the same run."""
        if not len(other):
            return self
        counts = np.concatenate((self.counts, other.counts))
        return type(self)(counts, np.concatenate((self.motion, other.motion)), max(self.next_id, other.next_id))

    def equals(self, other: Self) -> bool:
        """Whether both are the same to the bit, names included."""
        same_names = self.next_id == other.next_id and np.array_equal(self.track_ids, other.track_ids)
        return same_names and self.equals_but_names(other)

    def equals_but_names(self, other: Self) -> bool:
        """Whether both hold the same tracks under any names: then the same detections do the same to both."""
        return np.array_equal(self.counts[:, _LABEL:], other.counts[:, _LABEL:]) and np.array_equal(
            self.motion, other.motion
        )


@dataclass(frozen=True)
class Renaming:
    """From the names of one run to those of another that is in the same state.

    The tracks alive in that state are renamed row by row; later births follow in the same order in both runs, so
    their ids differ by a constant.
    """

    guess: TrackerState
    true: TrackerState

    def ids(self, track_ids: IntArray) -> IntArray:
        """New names (n,) of tracks that are alive in that state or were born after it."""
        renamed = track_ids - self.guess.next_id + self.true.next_id
        old = track_ids < self.guess.next_id
        order = np.argsort(self.guess.track_ids)
        places = np.searchsorted(self.guess.track_ids, track_ids[old], sorter=order)
        renamed[old] = self.true.track_ids[order[places]]
        return renamed

    def state(self, later: TrackerState) -> TrackerState:
        """A later state of the guessing run, under the true names."""
        next_id = later.next_id - self.guess.next_id + self.true.next_id
        return later.renamed(self.ids(later.track_ids), next_id)
