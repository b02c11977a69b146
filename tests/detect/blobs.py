"""A detector whose truth is known to the pixel: it finds bright rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from anonflow.types import Boxes, Picture


@dataclass
class BlobDetector:
    """Scores are the mean brightness, so they tell the blobs apart; every call's sizes are written down."""

    provider: str = "cpu"
    least_side_px: int = 1
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        self.sizes += [(p.shape[1], p.shape[0]) for p in pictures]
        assert len({p.shape for p in pictures}) <= 1 and all(p.flags.c_contiguous for p in pictures)
        return [self._find(p[..., 0]) for p in pictures]

    def _find(self, grey: Picture) -> Boxes:
        n, _, stats, _ = cv2.connectedComponentsWithStats((grey >= 40).astype(np.uint8), connectivity=8)
        rows = [
            (x, y, x + w, y + h, float(grey[y : y + h, x : x + w].max()) / 255)
            for x, y, w, h, _ in stats[1:n].tolist()
            if min(w, h) >= self.least_side_px
        ]
        table = np.array(rows, np.float32).reshape(-1, 5)
        found = Boxes(table[:, :4], table[:, 4], np.zeros(len(table), np.int16))
        return found[np.argsort(-found.scores, kind="stable")]


def scene(width: int, height: int, blobs: Sequence[tuple[int, int, int, int]]) -> Picture:
    """A dark picture with bright rectangles x, y, w, h, each a little darker than the one before."""
    picture = np.zeros((height, width, 3), np.uint8)
    for number, (x, y, w, h) in enumerate(blobs):
        picture[y : y + h, x : x + w] = 250 - 10 * number
    return picture


def corners(blobs: Sequence[tuple[int, int, int, int]]) -> list[tuple[float, ...]]:
    return sorted((float(x), float(y), float(x + w), float(y + h)) for x, y, w, h in blobs)


def found(boxes: Boxes) -> list[tuple[float, ...]]:
    return sorted(tuple(row) for row in boxes.xyxy.tolist())
