"""Telling tracks apart by their looks, for DeepSORT: a state refers to detections, never holds their descriptors.

A descriptor could tell something about a person, so none is ever part of a state, which is written to disk. A state
holds *references* (frame and place of a detection) instead, and descriptors are computed from the picture again
wherever they are needed. References are also what makes states comparable to the bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from anonflow.track.timeline import Reals
from anonflow.types import FloatArray, IntArray, Observations

Looks = Callable[[int], FloatArray]
"""Descriptors (n, d), unit length, of all detections of a frame, in their order."""

NOBODY = -1
_PLACE_BITS, _CHECK_BITS = 12, 24
MAX_PLACES = 1 << _PLACE_BITS


def references(seen: Observations, frame: int) -> IntArray:
    """Reference (n,) to each detection of a frame: frame, place, and a checksum of the box.

    The checksum makes references to different detections differ, should two runs of a detector disagree.
    """
    checks = np.array([zlib.crc32(box.tobytes()) >> (32 - _CHECK_BITS) for box in seen.xyxy], np.int64)
    return (((frame << _PLACE_BITS) | seen.places.astype(np.int64)) << _CHECK_BITS) | checks


def distances(galleries: IntArray, seen: Observations, frame: int, looks: Looks) -> Reals:
    """Least cosine distance (n, m) between the detections in each track's gallery (n, g) and those seen (m,).

    2, the largest there is, for a track without a gallery.
    """
    here = looks(frame)[seen.places].astype(np.float64)
    least = np.full((len(galleries), len(here)), 2.0)
    for reference in np.unique(galleries[galleries != NOBODY]).tolist():
        there_frame, place = divmod(reference >> _CHECK_BITS, MAX_PLACES)
        then = looks(there_frame)
        if place >= len(then):  # seen by a run of the detector that disagreed with this one
            continue
        there = then[place].astype(np.float64)
        rows = (galleries == reference).any(axis=1)
        least[rows] = np.minimum(least[rows], 1.0 - (here * there).sum(axis=1))
    return least
