"""What objects look like, in numbers that tell the objects of one video apart for a second or two.

Colours and edge directions by place: the descriptors of DeepSORT (Wojke et al., ICIP 2017) play this part there,
learned; these are built by hand and need no weights. Edge directions as in HOG (Dalal and Triggs, CVPR 2005),
rooted as in RootSIFT (Arandjelovic and Zisserman, CVPR 2012).

**Privacy.** Descriptors serve to say that two boxes of one video, seconds apart, hold the same object. They live
in memory only and are never written anywhere, they are not made to be compared across videos or scenes, and they
cannot name anybody: clothes, light and background weigh in them as much as a face does.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anonflow.types import FloatArray, Picture

_CELLS = 2  # each way
_DIRECTIONS = 16
_SHADES = 4  # of red and of blue difference each
LENGTH = _CELLS**2 * (_DIRECTIONS + _SHADES**2)
"""Numbers in a descriptor: 64 of edge directions, then 64 of colours."""

_SIDE_PX = 32
_MARGIN = 0.3
"""Added on every side, as a share of the box: hair, collar, the car around a plate."""
_COLOUR_SHARE = 0.5
"""Of the colours in the square of a descriptor's length. Neither alone tells faces apart as well in all clips."""
_FIRST_RED, _FIRST_BLUE, _SHADE_WIDTH = 120, 96, 12  # Cr and Cb of skin, lamps and lacquer; others share the ends

_Counts = NDArray[np.float64]


def describe(picture: Picture, xyxy: FloatArray) -> FloatArray:
    """Descriptors (n, `LENGTH`) of the boxes (n, 4) of a BGR picture (h, w, 3), in its pixels; rows of length 1.

    The product of two rows is their cosine similarity, between 0 and 1. A row depends on the picture and its own
    box only, to the bit. A box without area, outside of the picture or not finite gives a row of zeros.

    Measured on faces and plates of real clips, the distance (1 - product) of two boxes of one track up to 1 s apart
    is below 0.12 for 95 of 100 pairs, that of different objects of one frame for 16; the area under the curve is
    0.97. From one frame to the next it is below 0.05. Half the light makes it 0.1.
    """
    rows = np.zeros((len(xyxy), LENGTH), np.float32)
    for row, box in zip(rows, xyxy.tolist(), strict=True):
        crop = _crop(picture, *box)
        if crop is not None:
            luma_chroma = cv2.cvtColor(crop, cv2.COLOR_BGR2YCrCb)
            row[: _CELLS**2 * _DIRECTIONS] = _rooted(_edges(luma_chroma[..., 0]), 1 - _COLOUR_SHARE)
            row[_CELLS**2 * _DIRECTIONS :] = _rooted(_colours(luma_chroma[..., 1:]), _COLOUR_SHARE)
    return rows


def _crop(picture: Picture, x1: float, y1: float, x2: float, y2: float) -> Picture | None:
    """The box with its margin, `_SIDE_PX` square; None if nothing of the box itself lies in the picture."""
    height, width = picture.shape[:2]
    is_seen = max(x1, 0) < min(x2, width) and max(y1, 0) < min(y2, height)
    if not is_seen or not all(map(math.isfinite, (x1, y1, x2, y2))):
        return None
    margin_x, margin_y = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
    left, right = int(max(x1 - margin_x, 0)), math.ceil(min(x2 + margin_x, width))
    top, bottom = int(max(y1 - margin_y, 0)), math.ceil(min(y2 + margin_y, height))
    return _shrunk(picture[top:bottom, left:right])


def _shrunk(crop: Picture) -> Picture:
    """Halved as long as it is large, because a linear resize alone would skip pixels."""
    small: NDArray[Any] = crop
    while min(small.shape[:2]) >= 2 * _SIDE_PX:
        even = small[: small.shape[0] // 2 * 2, : small.shape[1] // 2 * 2]
        small = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)


def _edges(luma: NDArray[Any]) -> _Counts:
    """Gradient magnitude by cell and direction (64,): sums of whole numbers, exact in any order."""
    levels = cv2.copyMakeBorder(luma, 1, 1, 1, 1, cv2.BORDER_REPLICATE).astype(np.int32)
    across, down = levels[1:-1, 2:] - levels[1:-1, :-2], levels[2:, 1:-1] - levels[:-2, 1:-1]
    directions, magnitudes = _gradients()
    place = across * 511 + (down + (255 * 511 + 255))
    bins = _cells() * _DIRECTIONS + directions.take(place)
    sums = np.bincount(bins.ravel(), magnitudes.take(place).ravel(), minlength=_CELLS**2 * _DIRECTIONS)
    return sums.astype(np.float64)


def _colours(chroma: NDArray[Any]) -> _Counts:
    """Pixels by cell and shade (64,) of Cr and Cb (32, 32, 2), which light changes less than luma."""
    red, blue = _shades()
    bins = _cells() * _SHADES**2 + (red.take(chroma[..., 0]) + blue.take(chroma[..., 1]))
    return np.bincount(bins.ravel(), minlength=_CELLS**2 * _SHADES**2).astype(np.float64)


def _rooted(histogram: _Counts, share: float) -> _Counts:
    """Square roots of the histogram's shares, of squared length `share`; without edges, all are alike."""
    total = float(histogram.sum())
    rooted: _Counts = (
        np.sqrt(histogram * (share / total)) if total else np.full_like(histogram, np.sqrt(share / len(histogram)))
    )
    return rooted


@cache
def _cells() -> NDArray[np.int64]:
    """Number of the cell that each pixel of a crop lies in."""
    cell = np.arange(_SIDE_PX) * _CELLS // _SIDE_PX
    return cell[:, None] * _CELLS + cell


@cache
def _shades() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Bin of each value of Cr and of Cb, to be added."""
    red, blue = (
        np.clip((np.arange(256) - first) // _SHADE_WIDTH, 0, _SHADES - 1) for first in (_FIRST_RED, _FIRST_BLUE)
    )
    return (red * _SHADES).astype(np.uint8), blue.astype(np.uint8)


@cache
def _gradients() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Direction and magnitude of the gradient (x, y), each -255..255, at `(x + 255) * 511 + y + 255`."""
    across, down = np.mgrid[-255:256, -255:256].reshape(2, -1)
    turns = np.arctan2(down, across) / (2 * np.pi) % 1.0
    directions = np.floor(turns * _DIRECTIONS) % _DIRECTIONS
    return directions.astype(np.uint8), np.rint(np.hypot(across, down)).astype(np.uint16)
