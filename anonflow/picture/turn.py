"""How a stored picture is turned when it is shown: the orientation of TIFF 6.0 and Exif, tag 274."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from anonflow.types import FloatArray, Picture

_QUARTER_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


@dataclass(frozen=True)
class Turn:
    """First turned counter-clockwise by `rotation_deg`, a multiple of 90 in 0..270, then flipped left to right."""

    rotation_deg: int
    is_mirrored: bool

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.rotation_deg % 180 != 0

    def shown_size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the shown picture."""
        return (height, width) if self.swaps_sides else (width, height)

    def upright(self, picture: Picture) -> Picture:
        """The stored picture (h, w, 3) as it is shown."""
        turn = _QUARTER_TURNS.get(self.rotation_deg)
        if turn is not None:
            picture = np.asarray(cv2.rotate(picture, turn), np.uint8)
        return np.ascontiguousarray(picture[:, ::-1]) if self.is_mirrored else picture

    def boxes_to_stored(
        self, xyxy: FloatArray, shown_size: tuple[int, int], stored_size: tuple[int, int]
    ) -> FloatArray:
        """Boxes (n, 4) of the shown picture, which may be a smaller one, in px of the stored picture.

        Sizes are (width, height).
        """
        x1, y1, x2, y2 = (xyxy / np.array([*shown_size, *shown_size], np.float32)).T
        if self.is_mirrored:
            x1, x2 = 1 - x2, 1 - x1
        turned = {
            0: (x1, y1, x2, y2),
            90: (1 - y2, x1, 1 - y1, x2),
            180: (1 - x2, 1 - y2, 1 - x1, 1 - y1),
            270: (y1, 1 - x2, y2, 1 - x1),
        }[self.rotation_deg]
        return np.stack(turned, axis=1).astype(np.float32) * np.array([*stored_size, *stored_size], np.float32)


TURNS = {
    1: Turn(0, False),
    2: Turn(0, True),
    3: Turn(180, False),
    4: Turn(180, True),
    5: Turn(270, True),
    6: Turn(270, False),
    7: Turn(90, True),
    8: Turn(90, False),
}
"""By the number that a file holds."""
