"""Cut-outs of the worst misses, for those who asked to see them: unmasked faces and plates."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from anonflow.evaluate.case import Case
from anonflow.evaluate.masks import coverage
from anonflow.picture.still import open_picture, read_picture
from anonflow.types import Picture
from anonflow.video.clip import picture_at
from anonflow.video.probe import probe

_TILE_PX = 160
_COLUMNS = 6
_AROUND = 0.75
"""Share of the box that is shown on every side."""
_MAX_BYTES, _MAX_PIXELS = 2**30, 2**28


def worst_misses(cases: Sequence[Case], covered_share: float, n: int) -> bytes:
    """A PNG of the `n` largest objects among those least covered; empty if nothing leaks."""
    found = []
    for position, case in enumerate(cases):
        shares, truth = coverage(case), case.scene.truth
        for row in np.flatnonzero((shares < covered_share) & ~case.ignored).tolist():
            x1, y1, x2, y2 = truth.xyxy[row].tolist()
            found.append(((1 - shares[row]) * (x2 - x1) * (y2 - y1), position, row))
    tiles = [_tile(cases[position], row) for _, position, row in sorted(found, reverse=True)[:n]]
    if not tiles:
        return b""
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
    rows = [np.hstack(tiles[first : first + _COLUMNS]) for first in range(0, len(tiles), _COLUMNS)]
    _, encoded = cv2.imencode(".png", np.vstack(rows))
    return bytes(encoded)


def _tile(case: Case, row: int) -> Picture:
    truth = case.scene.truth
    picture = _picture(case, int(truth.frames[row]))
    x1, y1, x2, y2 = truth.xyxy[row].tolist()
    side = max(x2 - x1, y2 - y1) * (1 + 2 * _AROUND)
    left, top = int(max(0, (x1 + x2 - side) / 2)), int(max(0, (y1 + y2 - side) / 2))
    cut = picture[top : int(top + side) + 1, left : int(left + side) + 1]
    scale = _TILE_PX / max(cut.shape[:2])
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    tile = np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)
    shown = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
    tile[: size[1], : size[0]] = shown[:_TILE_PX, :_TILE_PX]
    return tile


def _picture(case: Case, frame: int) -> Picture:
    """The picture as it is stored, BGR."""
    path = case.item.path
    if case.is_video:
        return picture_at(path, probe(path), frame)
    return open_picture(read_picture(path, _MAX_BYTES), _MAX_PIXELS).bgr(max(case.scene.width, case.scene.height))
