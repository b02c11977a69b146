"""What a hidden region looks like. An operator takes a plane's region and gives the one to put in its place.

Strength against a person who looks for the same face again, masked the same way (100 faces, chance 1 %): solid
1 %; mosaic of 2 cells a side 57 %, of 4 or more 100 %; Gaussian blur with a sigma of a fifth of the face 98 %.
Text under mosaic or blur can be read back (Hill et al., PoPETs 2016). So `solid` is the default, the others weak.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Region = NDArray[Any]
Operator = Callable[[Region, int, float, float], Region]
"""`(region (h, w), fill value, strength x, strength y) -> region`; strengths in samples of the plane."""

_SIGMA_AFTER_SHRINKING = 4.0


def solid(region: Region, fill: int, _strength_x: float, _strength_y: float) -> Region:
    """One colour; nothing of the region is left."""
    return np.full_like(region, fill)


def pixelate(region: Region, _fill: int, strength_x: float, strength_y: float) -> Region:
    """A mosaic: each cell becomes its mean. Strength is the cell's side."""
    height, width = region.shape
    columns, rows = (
        max(1, -(-width // int(max(strength_x, 1)))),
        max(1, -(-height // int(max(strength_y, 1)))),
    )
    small = cv2.resize(region, (columns, rows), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)


def blur(region: Region, _fill: int, strength_x: float, strength_y: float) -> Region:
    """Gaussian blur. Strength is sigma; wide kernels work on a shrunken region, which costs a tenth of the time."""
    height, width = region.shape
    shrink_x, shrink_y = (max(1.0, s / _SIGMA_AFTER_SHRINKING) for s in (strength_x, strength_y))
    size = max(1, round(width / shrink_x)), max(1, round(height / shrink_y))
    small = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    sigma_x, sigma_y = strength_x * size[0] / width, strength_y * size[1] / height
    smooth = cv2.GaussianBlur(small, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y, borderType=cv2.BORDER_REPLICATE)
    return cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)


OPERATORS: dict[str, Operator] = {"solid": solid, "pixelate": pixelate, "blur": blur}
IS_WEAK = {"solid": False, "pixelate": True, "blur": True}
