"""Which pixels a set of shapes hides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from anonflow.mask.keep import KeepShape
from anonflow.mask.paint import paint
from anonflow.mask.shapes import MaskShape
from anonflow.types import PlaneSet


def hidden_area(
    frame: PlaneSet, shapes: Sequence[MaskShape], keep: Sequence[KeepShape], hide: Sequence[MaskShape]
) -> NDArray[np.bool_]:
    """The luma px (h, w) that painting `shapes` but for `keep`, then `hide`, touches; `frame` gives the size."""
    plane = np.ones((frame.height, frame.width), np.uint8)
    white = PlaneSet((plane,), frame.chroma_shift_x, frame.chroma_shift_y, 8, full_range=True)
    paint(white, [replace(shape, operator="solid") for shape in shapes], keep)
    paint(white, hide)
    return np.asarray(plane == 0, np.bool_)
