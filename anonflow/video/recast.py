"""A frame in a pixel format that its encoder knows, sample for sample."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from anonflow.video.planes import plane_set


def recast(frame: av.VideoFrame, pixel_format: str) -> av.VideoFrame:
    """`frame` itself, or a copy in `pixel_format`, which must have planes of the same sizes.

    Fewer bits are rounded. PyAV would convert by itself, but through a scaler that also converts full range.
    """
    if frame.format.name == pixel_format:
        return frame
    copy = av.VideoFrame(frame.width, frame.height, pixel_format)
    source, target = plane_set(frame), plane_set(copy, writable=True)
    for samples, place in zip(source.planes, target.planes, strict=True):
        place[:] = _rounded(samples, source.bit_depth, target.bit_depth)
    copy.pts, copy.time_base = frame.pts, frame.time_base
    copy.color_range, copy.colorspace = frame.color_range, frame.colorspace
    copy.color_primaries, copy.color_trc = frame.color_primaries, frame.color_trc
    return copy


def _rounded(samples: NDArray[Any], from_bits: int, to_bits: int) -> NDArray[Any]:
    """Fewer bits; what would be rounded up beyond the largest value stays at it."""
    shift = from_bits - to_bits
    if shift == 0:
        return samples
    half = 1 << (shift - 1)
    rounded: NDArray[Any] = (np.minimum(samples, (1 << from_bits) - 1 - half) + half) >> shift
    return rounded
