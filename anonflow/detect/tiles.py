"""Sliced detection: a picture is looked at in overlapping tiles, so that small objects keep their pixels.

As in slicing-aided hyper inference (Akyon et al., ICIP 2022). An object that a tile cuts off is found in part; the
parts are joined where they overlap, because a mask over half of a face hides nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anonflow.config import TilesConfig
from anonflow.detect.augment import Resized
from anonflow.detect.base import Detector
from anonflow.detect.nms import suppress
from anonflow.types import Boxes, FloatArray, IntArray, Picture

CUT_WITHIN_PX = 2.0
"""A box that ends so close to an inner side of its tile may go on beyond it."""
SAME_IOU = 0.5
"""Boxes of two tiles that agree so well about what both tiles see are of one object."""

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Tiled:
    """A `Detector` that looks at pictures in tiles; a picture no larger than a tile is seen as it is."""

    inner: Detector
    tiles: TilesConfig
    nms_iou: float

    @property
    def provider(self) -> str:
        """As `Detector.provider`."""
        return self.inner.provider

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """As `Detector.detect`."""
        if not pictures:
            return []
        height, width = pictures[0].shape[:2]
        corners = tile_corners(width, height, self.tiles)
        if len(corners) == 1:
            return self.inner.detect(pictures)
        side = self.tiles.size_px
        whole: list[Boxes] = [Boxes.empty()] * len(pictures)
        if self.tiles.whole:
            whole = Resized(self.inner, max_long_side_px=side).detect(pictures)
        return [self._search(picture, corners, seen) for picture, seen in zip(pictures, whole, strict=True)]

    def _search(self, picture: Picture, corners: IntArray, whole: Boxes) -> Boxes:
        """Boxes of one picture, with those of the whole of it."""
        size, side = (picture.shape[1], picture.shape[0]), self.tiles.size_px
        tiles = [np.ascontiguousarray(picture[y : y + side, x : x + side]) for x, y in corners.tolist()]
        found, frames = [whole], [np.zeros(2, np.int64), *corners]
        for corner, boxes in zip(corners, self.inner.detect(tiles), strict=True):
            found.append(replace(boxes, xyxy=(boxes.xyxy + np.tile(corner, 2)).astype(np.float32)))
        extents = [size, *((tile.shape[1], tile.shape[0]) for tile in tiles)]
        spans = [np.concatenate((start, start + extent)) for start, extent in zip(frames, extents, strict=True)]
        seen = np.repeat(np.stack(spans), [len(boxes) for boxes in found], axis=0)
        return suppress(join_cut(Boxes.concat(found), seen, size), self.nms_iou)


def tile_corners(width: int, height: int, tiles: TilesConfig) -> IntArray:
    """Top left corners (n, 2) of equal tiles that cover the picture, row by row, at least the overlap in common."""
    step = tiles.size_px * (1 - tiles.overlap_share)
    across, down = (_starts(length, tiles.size_px, step) for length in (width, height))
    return np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)


def join_cut(boxes: Boxes, seen: IntArray, size: tuple[int, int]) -> Boxes:
    """The boxes, those that were cut off by their tile joined with what goes on beyond it; highest score first.

    `seen` (n, 4) is the tile x1, y1, x2, y2 that each box was found in, `size` the picture's. Two boxes of a class,
    at least one of them cut, are of one object if they agree (IoU of `SAME_IOU`) about what both tiles see. The
    better one is widened to hold both. Boxes only grow: nothing that any tile found is left out.
    """
    order = np.argsort(-boxes.scores, kind="stable")
    boxes, spans = boxes[order], seen[order].copy()
    xyxy, cut = boxes.xyxy.copy(), _is_cut(boxes, spans, size)
    kept: list[int] = []
    for row in range(len(boxes)):
        near = [k for k in kept if boxes.classes[k] == boxes.classes[row] and (cut[k] or cut[row])]
        same = np.flatnonzero(_agreement(xyxy[row], spans[row], xyxy[near], spans[near]) >= SAME_IOU)
        if not len(same):
            kept.append(row)
            continue
        into = near[int(same[0])]
        for corners in (xyxy, spans):
            corners[into, :2] = np.minimum(corners[into, :2], corners[row, :2])
            corners[into, 2:] = np.maximum(corners[into, 2:], corners[row, 2:])
    return replace(boxes, xyxy=xyxy)[np.array(kept, np.int64)]


def _agreement(box: FloatArray, span: IntArray, others: FloatArray, spans: IntArray) -> Reals:
    """IoU (n,) of a box (4,) with others (n, 4), of that part of each that lies where both tiles look."""
    low, high = np.maximum(span[:2], spans[:, :2]), np.minimum(span[2:], spans[:, 2:])
    common = np.concatenate((low, np.maximum(high, low)), axis=1)
    limits = common[:, [0, 1, 0, 1]], common[:, [2, 3, 2, 3]]
    mine, theirs = (np.clip(corners, *limits).astype(np.float64) for corners in (box, others))
    areas, theirs_areas = (np.prod(part[:, 2:] - part[:, :2], axis=1) for part in (mine, theirs))
    sides = np.maximum(np.minimum(mine[:, 2:], theirs[:, 2:]) - np.maximum(mine[:, :2], theirs[:, :2]), 0)
    shared = np.prod(sides, axis=1)
    ratio: Reals = shared / np.maximum(areas + theirs_areas - shared, 1e-9)
    return ratio


def _starts(length_px: int, side_px: int, step_px: float) -> IntArray:
    """Where tiles begin along one axis: evenly spread, the last one ending with the picture."""
    if length_px <= side_px:
        return np.zeros(1, np.int64)
    n = 1 + int(np.ceil((length_px - side_px) / step_px))
    return np.rint(np.linspace(0, length_px - side_px, n)).astype(np.int64)


def _is_cut(boxes: Boxes, spans: IntArray, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which boxes (n,) end at a side of their tile that is none of the picture's."""
    inner = np.concatenate((spans[:, :2] > 0, spans[:, 2:] < size), axis=1)
    touched: NDArray[np.bool_] = ((np.abs(boxes.xyxy - spans) <= CUT_WITHIN_PX) & inner).any(axis=1)
    return touched
