"""The tracker's state as a value: it can be written, compared and renamed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from anonflow.track.kalman import Reals
from anonflow.types import IntArray


@dataclass(frozen=True, eq=False)
class TrackerState:
    """All tracks that are alive after a frame, one row each.

    Rows stand in the order of the detection that each track saw last: newest frame first, then by position among
    that frame's detections. So the order follows from the detections alone, and two runs with the same tracks
    have them in the same rows whatever they call them. `track_ids` and `next_id` are names: no decision looks
    at them.

    `labels` (n,), `means` (n, 8) and `covariances` (n, 3) as in `kalman`, `hits` (n,) associations counted up to
    the `min_hits` that confirm a track, `frames_since_update` (n,) frames without a detection.
    """

    track_ids: IntArray
    labels: NDArray[np.int16]
    means: Reals
    covariances: Reals
    hits: IntArray
    frames_since_update: IntArray
    next_id: int

    def __len__(self) -> int:
        return len(self.track_ids)

    def __getitem__(self, rows: Any) -> Self:
        return type(self)(
            self.track_ids[rows],
            self.labels[rows],
            self.means[rows],
            self.covariances[rows],
            self.hits[rows],
            self.frames_since_update[rows],
            self.next_id,
        )

    @classmethod
    def empty(cls) -> Self:
        """The state before the first frame."""
        counts = np.zeros(0, np.int64)
        return cls(counts, np.zeros(0, np.int16), np.zeros((0, 8)), np.zeros((0, 3)), counts, counts, next_id=0)

    def then(self, other: Self) -> Self:
        """These rows, then those of `other`, a part of the same run."""
        if not len(other):
            return self
        return type(self)(
            np.concatenate((self.track_ids, other.track_ids)),
            np.concatenate((self.labels, other.labels)),
            np.concatenate((self.means, other.means)),
            np.concatenate((self.covariances, other.covariances)),
            np.concatenate((self.hits, other.hits)),
            np.concatenate((self.frames_since_update, other.frames_since_update)),
            max(self.next_id, other.next_id),
        )

    def equals(self, other: Self) -> bool:
        """Whether both are the same to the bit, names included."""
        same_names = self.next_id == other.next_id and np.array_equal(self.track_ids, other.track_ids)
        return same_names and self.equals_but_names(other)

    def equals_but_names(self, other: Self) -> bool:
        """Whether both hold the same tracks under any names: then the same detections do the same to both."""
        return (
            np.array_equal(self.labels, other.labels)
            and np.array_equal(self.hits, other.hits)
            and np.array_equal(self.frames_since_update, other.frames_since_update)
            and np.array_equal(self.covariances, other.covariances)
            and np.array_equal(self.means, other.means)
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
        return replace(later, track_ids=self.ids(later.track_ids), next_id=next_id)
