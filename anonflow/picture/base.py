"""What every format of pictures offers, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anonflow.picture.hiding import Grid, Hiding
from anonflow.picture.turn import TURNS, Turn
from anonflow.types import Picture

IsKept = Callable[[str], bool]
"""Whether the policy keeps metadata of this name."""


@dataclass(frozen=True)
class PictureInfo:
    """What of a picture must be the same in the output, and which metadata it has."""

    format: str
    """`JPEG`, `PNG`, `WEBP`, `TIFF` or `BMP`: by content, whatever the file is called."""
    grid: Grid
    orientation: int
    """1 to 8, as in Exif."""
    mode: str
    """Colour model, chroma subsampling and bits a sample."""
    coding: str
    """How it is compressed: whether with loss, progressive, with which quantisation tables."""
    colour_profile: bytes
    """The ICC profile or what stands in its place; empty if there is none."""
    resolution: str
    """As the file has it; empty if there is none."""
    metadata: tuple[str, ...]
    """Names of all that is not needed to show the picture, each once, sorted. Never values."""

    @property
    def turn(self) -> Turn:
        """How it is turned when it is shown."""
        return TURNS[self.orientation]

    @property
    def shown_size(self) -> tuple[int, int]:
        """(width, height) as it is shown, in px."""
        return self.turn.shown_size(self.grid.width, self.grid.height)


class StillPicture(Protocol):
    """A picture in memory. Every method may raise `DamagedPictureError`: decoding waits until it is needed."""

    @property
    def info(self) -> PictureInfo:
        """What it is."""

    def bgr(self, least_side_px: int) -> Picture:
        """The picture as it is stored, (h, w, 3) uint8; smaller if that is cheaper.

        Its longer side is at least `least_side_px`, or that of the picture.
        """

    def looks(self, least_side_px: int) -> tuple[Picture, ...]:
        """All that detectors must see: `bgr`, and of a transparent picture how it looks over white and black."""

    def masked(self, hiding: Hiding, is_kept: IsKept) -> bytes:
        """A file of the same format, masked, with the metadata that the policy keeps and none else.

        Where nothing is to be hidden, all pixels (of a JPEG: all coefficients) are the same.
        """

    def samples(self) -> tuple[NDArray[Any], ...]:
        """All that makes the picture, to compare: samples (h, w, ...); of a JPEG, coefficients by component."""

    def unhidden(self, hidden: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
        """For each of `samples`, which must be the same after the px `hidden` (h, w) were masked."""
