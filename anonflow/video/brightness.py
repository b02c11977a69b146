"""How bright a frame is."""

from __future__ import annotations

import av
import numpy as np

from anonflow.video.planes import plane_set

_SAMPLES_PER_SIDE = 128
"""Enough for a mean: a 1080p frame is read in a hundredth of a millisecond or two."""


def mean_luma(frame: av.VideoFrame) -> float:
    """Mean luma as a share of the way from black (0) to white (1), whatever the bit depth and range.

    Of large frames a regular grid of samples is read, the same for every frame of a size. Samples outside the
    nominal range count as black or white together: the mean is clipped, not the samples. Raises
    `UnsupportedFormatError` as `plane_set` does.
    """
    planes = plane_set(frame)
    step_y, step_x = (max(1, side // _SAMPLES_PER_SIDE) for side in (planes.height, planes.width))
    samples = planes.planes[0][step_y // 2 :: step_y, step_x // 2 :: step_x]
    mean = int(samples.sum(dtype=np.int64)) / samples.size
    scale = 1 << (planes.bit_depth - 8)
    black, white = (0, 256 * scale - 1) if planes.full_range else (16 * scale, 235 * scale)
    return min(max((mean - black) / (white - black), 0.0), 1.0)
