"""What is to be hidden in one picture, as those say who know about masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anonflow.types import PlaneSet


@dataclass(frozen=True, eq=False)
class Grid:
    """A stored picture's size in px, and the finest grid on which it can be painted, as in `PlaneSet`."""

    width: int
    height: int
    shift_x: int = 0
    shift_y: int = 0

    def plane_set(self) -> PlaneSet:
        """Planes of this size without memory of their own, for those who ask for sizes only."""
        nothing = np.broadcast_to(np.uint8(0), (self.height, self.width))
        return PlaneSet((nothing,), self.shift_x, self.shift_y, 8, full_range=True)


@dataclass(frozen=True, eq=False)
class Hiding:
    """The way to hide: `paint` does it on planes of the picture's size, in place.

    `hidden` (h, w) bool tells which px change their look; `boxes` are the `x1, y1, x2, y2` of the shapes, which are
    all that `paint` reads.
    """

    paint: Callable[[PlaneSet], None]
    hidden: NDArray[np.bool_]
    boxes: tuple[tuple[int, int, int, int], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be hidden."""
        return not self.hidden.any()
