"""Frames of random samples in every layout that masks are painted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from anonflow.config import MaskStyle
from anonflow.types import MaskPlan, PlaneSet

SOLID = MaskStyle("solid", "box", 0.0, cells=2, min_cell_px=8, sigma=0.5, min_sigma_px=6.0)
PIXELATE = MaskStyle("pixelate", "box", 0.0, cells=2, min_cell_px=8, sigma=0.5, min_sigma_px=6.0)
BLUR = MaskStyle("blur", "box", 0.0, cells=2, min_cell_px=8, sigma=0.5, min_sigma_px=6.0)
STYLES = (SOLID, PIXELATE, BLUR)
SUBSAMPLINGS = {"4:2:0": (1, 1), "4:2:2": (1, 0), "4:4:4": (0, 0), "4:1:0": (2, 2), "grey": None}


@dataclass(frozen=True)
class Layout:
    """What a frame is like, its samples aside."""

    width: int
    height: int
    subsampling: str
    bit_depth: int = 8
    full_range: bool = False
    alpha: bool = False

    def frame(self, seed: int = 0) -> PlaneSet:
        """A frame of random samples that never equal a fill value, so that a filled sample is a changed one."""
        shifts = SUBSAMPLINGS[self.subsampling]
        sizes = [(self.height, self.width)]
        if shifts is not None:
            sizes += [(-(-self.height >> shifts[1]), -(-self.width >> shifts[0]))] * 2
        if self.alpha:
            sizes.append((self.height, self.width))
        rng = np.random.default_rng(seed)
        low, high = 140 << (self.bit_depth - 8), 235 << (self.bit_depth - 8)
        dtype = np.uint8 if self.bit_depth == 8 else np.uint16
        planes = tuple(rng.integers(low, high, size).astype(dtype) for size in sizes)
        return PlaneSet(planes, *(shifts or (0, 0)), self.bit_depth, self.full_range)


def layouts(max_side_px: int = 48) -> st.SearchStrategy[Layout]:
    """Layouts of odd and even sizes."""
    side = st.integers(1, max_side_px)
    subsampling = st.sampled_from(sorted(SUBSAMPLINGS))
    return st.builds(Layout, side, side, subsampling, st.sampled_from([8, 10, 12]), st.booleans())


def boxes(max_side_px: int = 48) -> st.SearchStrategy[tuple[float, float, float, float]]:
    """Boxes with an area, sub-pixel ones and such over the border included."""
    corner = st.floats(-8, max_side_px, width=32)
    side = st.floats(0.125, max_side_px, width=32)
    return st.tuples(corner, corner, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


def plan_of(xyxy: Sequence[Sequence[float]], labels: Sequence[int] | None = None) -> MaskPlan:
    """The plan of one frame."""
    n = len(xyxy)
    codes = np.array([0] * n if labels is None else labels, np.int16)
    return MaskPlan(np.zeros(n, np.int64), np.array(xyxy, np.float32).reshape(-1, 4), codes)


def touched_pixels(frame: PlaneSet, box: Sequence[float]) -> tuple[slice, slice] | None:
    """Rows and columns of the pixels that a box of float32 coordinates overlaps at all."""
    x1, y1, x2, y2 = (float(v) for v in np.array(box, np.float32))
    left, right = max(0, int(np.floor(x1))), min(frame.width, int(np.ceil(x2)))
    top, bottom = max(0, int(np.floor(y1))), min(frame.height, int(np.ceil(y2)))
    return None if left >= right or top >= bottom else (slice(top, bottom), slice(left, right))
