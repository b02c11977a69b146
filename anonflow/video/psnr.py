"""How much of the picture outside the masks an encoding keeps: luma PSNR on sampled frames.

The squared error of a frame is the mean over its luma samples outside the masks; the PSNR of several frames is that
of the mean of their errors (so a bad frame counts, and a perfect one does not make the mean infinite), the worst
that of the largest error. PSNR is `10 log10(peak^2 / error)` with the peak `2^bits - 1`, at most 100 dB.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log10
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anonflow.errors import FidelityError
from anonflow.storage import StoragePath
from anonflow.types import PlaneSet
from anonflow.video.planes import plane_set
from anonflow.video.segment import decode_segment

CAP_DB = 100.0
_MAX_SAMPLES = 16
_MIN_SAMPLES = 2
_MAX_BYTES = 48 << 20


@dataclass(frozen=True)
class Fidelity:
    """Errors relative to the squared peak, over `weight` frames; None where everything is painted."""

    mean_error: float | None
    worst_error: float | None
    weight: int

    @classmethod
    def pooled(cls, parts: Iterable[Fidelity]) -> Fidelity:
        """That of all parts together, each with its weight."""
        known = [part for part in parts if part.mean_error is not None]
        weight = sum(part.weight for part in known)
        if not weight:
            return cls(None, None, 0)
        mean = sum((part.mean_error or 0.0) * part.weight for part in known) / weight
        return cls(mean, max(part.worst_error or 0.0 for part in known), weight)

    @property
    def mean_db(self) -> float | None:
        """PSNR of the mean error."""
        return None if self.mean_error is None else psnr_db(self.mean_error)

    @property
    def worst_db(self) -> float | None:
        """PSNR of the worst frame."""
        return None if self.worst_error is None else psnr_db(self.worst_error)


def psnr_db(relative_error: float) -> float:
    """PSNR of a mean squared error that is relative to the squared peak."""
    return CAP_DB if relative_error <= 0 else min(CAP_DB, -10 * log10(relative_error))


def relative_error(
    kept: NDArray[Any], made: NDArray[Any], bits: int, where: NDArray[np.bool_] | None = None
) -> float:
    """Mean squared difference of two luma planes over the squared peak; of the places `where`, or of all."""
    mask = None if where is None else where.view(np.uint8)
    n = kept.size if where is None else int(np.count_nonzero(where))
    squares = cv2.norm(np.ascontiguousarray(kept), np.ascontiguousarray(made), cv2.NORM_L2SQR, mask)
    return float(squares) / n / ((1 << bits) - 1) ** 2


@dataclass
class Samples:
    """Every n-th frame of a chunk as it went into the encoder, with the places where nothing was painted.

    At most 16 frames and 48 MB, but two frames however large. Of `n_frames` to be compared: frames that are hidden
    whole because they are damaged are none of them, for black is kept perfectly.
    """

    n_frames: int
    _kept: dict[int, tuple[NDArray[Any], NDArray[np.bool_], int]] = field(default_factory=dict)
    _before: NDArray[Any] | None = None
    _step: int = 0
    _seen: int = 0

    def before(self, planes: PlaneSet) -> None:
        """Called with each frame to be compared, before it is painted."""
        luma = planes.planes[0]
        if not self._step:
            n = min(_MAX_SAMPLES, max(_MIN_SAMPLES, _MAX_BYTES // (luma.nbytes + luma.size)))
            self._step = max(1, -(-self.n_frames // n))
        # From the middle of the first step: the beginning of a chunk is a keyframe, and better than the rest.
        self._before = luma.copy() if self._seen % self._step == self._step // 2 else None
        self._seen += 1

    def after(self, position: int, planes: PlaneSet) -> None:
        """Called with the frame after it was painted; `position` is its place among all of the segment's frames."""
        if self._before is not None:
            luma = planes.planes[0].copy()
            self._kept[position] = (luma, luma == self._before, planes.bit_depth)

    def compare(self, segment: StoragePath) -> Fidelity:
        """Decode the segment that the frames were written to, and compare."""
        errors = []
        last = max(self._kept, default=-1)
        for position, frame in enumerate(decode_segment(segment)):
            if position in self._kept:
                luma, untouched, bits = self._kept[position]
                if untouched.any():
                    errors.append(relative_error(luma, plane_set(frame).planes[0], bits, untouched))
                if position == last:
                    return _of(errors, self.n_frames)
        if last < 0:
            return Fidelity(None, None, 0)
        raise FidelityError(f"Segment {segment} cannot be decoded to its end: run again.")


def _of(errors: Sequence[float], weight: int) -> Fidelity:
    if not errors:
        return Fidelity(None, None, 0)
    return Fidelity(float(np.mean(errors)), max(errors), weight)
