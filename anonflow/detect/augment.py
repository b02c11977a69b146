"""Test-time augmentation: a detector that sees pictures mirrored or at another size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from anonflow.config import AugmentConfig
from anonflow.detect.base import Detector, fit
from anonflow.types import Boxes, Picture


@dataclass(frozen=True)
class Flipped:
    """A `Detector` that sees pictures mirrored from left to right."""

    inner: Detector

    @property
    def provider(self) -> str:
        """As `Detector.provider`."""
        return self.inner.provider

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """As `Detector.detect`."""
        found = self.inner.detect([np.ascontiguousarray(picture[:, ::-1]) for picture in pictures])
        return [
            replace(boxes, xyxy=_mirrored(boxes, picture.shape[1]))
            for boxes, picture in zip(found, pictures, strict=True)
        ]


@dataclass(frozen=True)
class Resized:
    """A `Detector` that sees pictures at another size: `scale` times theirs, or shrunk to a longer side at most."""

    inner: Detector
    scale: float = 1.0
    max_long_side_px: int | None = None

    @property
    def provider(self) -> str:
        """As `Detector.provider`."""
        return self.inner.provider

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """As `Detector.detect`."""
        if not pictures:
            return []
        height, width = pictures[0].shape[:2]
        wanted = max(width, height) * self.scale
        limit = self.max_long_side_px or wanted
        size = fit(width, height, max(1, round(min(wanted, limit))), self.scale)
        if size == (width, height):
            return self.inner.detect(pictures)
        how = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
        seen = [cv2.resize(picture, size, interpolation=how).astype(np.uint8, copy=False) for picture in pictures]
        return [_grown(boxes, size, (width, height)) for boxes in self.inner.detect(seen)]


def views(detector: Detector, config: AugmentConfig) -> list[Detector]:
    """The detector as it is, then at each scale, then all of these mirrored."""
    sized: list[Detector] = [detector, *(Resized(detector, scale) for scale in config.scales)]
    return [*sized, *(Flipped(view) for view in sized if config.flip)]


def _mirrored(boxes: Boxes, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    xyxy = boxes.xyxy.copy()
    xyxy[:, [0, 2]] = np.float32(width) - boxes.xyxy[:, [2, 0]]
    return xyxy


def _grown(boxes: Boxes, seen: tuple[int, int], size: tuple[int, int]) -> Boxes:
    """Boxes of a picture of `seen` (width, height) in px of one of `size`, inside of it and with an area."""
    xyxy = np.clip(boxes.xyxy * np.tile(np.divide(size, seen), 2), 0, np.tile(size, 2)).astype(np.float32)
    return replace(boxes, xyxy=xyxy)[(xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)]
