"""Boxes of anchor-free networks: one place per cell of a grid at each stride, levels from fine to coarse."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from anonflow.types import FloatArray, IntArray


def decode_cells(
    raw: FloatArray, size: tuple[int, int], strides_px: tuple[int, ...], places: IntArray
) -> FloatArray:
    """Boxes (n, 4) xyxy px of the cells `places` of an input of `size` (width, height).

    `raw` (n, 4): the centre's offset from the cell's corner and the logarithm of width and height, all in cells.
    """
    cells = _cells(size, strides_px)[places]
    corners, strides = cells[:, :2], cells[:, 2:]
    centres = (corners + raw[:, :2]) * strides
    half = np.exp(raw[:, 2:4]) * strides / 2
    return np.hstack([centres - half, centres + half]).astype(np.float32)


@lru_cache(maxsize=32)
def _cells(size: tuple[int, int], strides_px: tuple[int, ...]) -> FloatArray:
    """Column, row and stride (n, 3) of every cell, row by row."""
    return np.concatenate([_level(size, stride) for stride in strides_px])


def _level(size: tuple[int, int], stride_px: int) -> FloatArray:
    rows, columns = np.mgrid[: size[1] // stride_px, : size[0] // stride_px]
    return np.stack([columns, rows, np.full_like(rows, stride_px)], axis=-1).reshape(-1, 3).astype(np.float32)
