"""Streams that begin before zero: how much later everything is in the output.

MP4 and MOV say with an edit list that sound begins before the picture's zero; Matroska cannot, and no container
keeps frames before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, gcd, lcm

from anonflow.types import FrameIndex

_WITHOUT_EDIT_LIST = (".mkv", ".webm")
_MATROSKA_TICK_S = Fraction(1, 1000)


def shift_to_zero(first_pts: int, time_base: Fraction, sound: Sequence[tuple[int, Fraction]]) -> int:
    """Ticks of `time_base` that bring the video and its sound to zero or later; 0 if they are there.

    `sound` is the first timestamp and the time base of each audio stream.

    The smallest that is a whole number of ticks in every stream, and of milliseconds (Matroska's ticks) if the
    timestamps are: then all distances stay exact.
    """
    starts_s = [first_pts * time_base]
    bases = [time_base]
    for start, base in sound:
        starts_s.append(start * base)
        bases.append(base)
    if min(starts_s) >= 0:
        return 0
    if (first_pts * time_base) % _MATROSKA_TICK_S == 0:
        bases.append(_MATROSKA_TICK_S)
    step_s = _common_multiple(bases)
    return int(ceil(-min(starts_s) / step_s) * step_s / time_base)


def applied_shift(index: FrameIndex, container: str) -> int:
    """Ticks by which everything is later in an output with this extension."""
    return index.shift_pts if index.pts[0] < 0 or container in _WITHOUT_EDIT_LIST else 0


def _common_multiple(values: Sequence[Fraction]) -> Fraction:
    """The smallest fraction that is a whole multiple of each."""
    return Fraction(lcm(*(v.numerator for v in values)), gcd(*(v.denominator for v in values)))
