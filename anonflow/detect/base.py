"""What a detector is, and the geometry between a picture and a network's input.

A picture's way: the caller shrinks it to the size that `fit` names; a `Canvas` lays it into the top left corner of
what the network takes and brings boxes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from anonflow.types import Boxes, FloatArray, Picture

GRID_PX = 32
"""Coarsest stride of the networks: sides of a free-size input are multiples of it."""


class Detector(Protocol):
    """Finds objects in pictures."""

    @property
    def provider(self) -> str:
        """What it runs on: `cpu` or `cuda`."""

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """Boxes of each picture, in its own pixels, highest score first.

        `pictures` are upright, BGR, uint8 and all of one shape (h, w, 3). Boxes lie within the picture and have an
        area; `classes` are positions in the run's label vocabulary. What one picture gives does not depend on the
        others. Raises `DetectorOutputError` when the network returns something that is not a detection.
        """


def fit(width: int, height: int, long_side_px: int, max_upscale: float) -> tuple[int, int]:
    """(width, height) at which a detector should see a picture, aspect kept.

    The longer side becomes `long_side_px`, but the picture is never enlarged by more than `max_upscale`.
    """
    scale = min(long_side_px / max(width, height), max_upscale)
    return max(1, round(width * scale)), max(1, round(height * scale))


@dataclass(frozen=True)
class Canvas:
    """How a picture lies in a network's input: shrunk to `placed`, top left in `size`; (width, height) px."""

    picture: tuple[int, int]
    placed: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def for_picture(cls, width: int, height: int, network_size: tuple[int, int] | None) -> Canvas:
        """The canvas of a network with a fixed input size, or (None) of one that takes multiples of `GRID_PX`.

        A fixed size shrinks pictures that are larger; it never enlarges, which is `fit`'s to decide.
        """
        picture = (width, height)
        if network_size is None:
            return cls(picture, picture, (_next_multiple(width), _next_multiple(height)))
        scale = min(1.0, network_size[0] / width, network_size[1] / height)
        placed = (max(1, round(width * scale)), max(1, round(height * scale)))
        return cls(picture, placed, network_size)

    def to_picture(self, xyxy: FloatArray) -> FloatArray:
        """Boxes (n, 4) from canvas to picture pixels, clipped to the picture."""
        scale = np.divide(self.picture, self.placed)
        inside = np.clip(xyxy * np.tile(scale, 2), 0, np.tile(self.picture, 2))
        return np.asarray(inside, np.float32)


def _next_multiple(length_px: int) -> int:
    return -(-length_px // GRID_PX) * GRID_PX
