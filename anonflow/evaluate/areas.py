"""Exact areas under unions of rectangles, for many pictures at once.

A union's area is found by coordinate compression: the edges of its rectangles cut the plane into cells that are
covered whole or not at all. Nothing is drawn, so areas are exact for boxes at any fraction of a pixel, up to the
rounding of float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anonflow.types import IntArray

Reals = NDArray[np.float64]

_MAX_CELLS = 4_000_000
"""Cells worked on at once: bounds the memory, not the result."""


def areas(xyxy: Reals) -> Reals:
    """Areas (n,) of boxes (n, 4); 0 for those whose corners are in the wrong order."""
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0.0)
    product: Reals = sides[:, 0] * sides[:, 1]
    return product


def union_areas(groups: IntArray, xyxy: Reals, n_groups: int) -> Reals:
    """Area (n_groups,) under the union of each group's boxes; box i (of n, 4) belongs to group `groups[i]`."""
    solid = np.flatnonzero(areas(xyxy) > 0)
    order = solid[np.argsort(groups[solid], kind="stable")]
    groups, xyxy = groups[order], xyxy[order]
    starts = np.searchsorted(groups, np.arange(n_groups))
    counts = np.bincount(groups, minlength=n_groups)
    found = np.zeros(n_groups)
    # Groups of similar size are padded to one size, a power of two, and done together.
    sizes = 1 << np.ceil(np.log2(np.maximum(counts, 1))).astype(np.int64)
    for size in np.unique(sizes[counts > 0]).tolist():
        members = np.flatnonzero((sizes == size) & (counts > 0))
        n_parts = -(-len(members) * (2 * size) ** 2 // _MAX_CELLS)
        for part in np.array_split(members, n_parts):
            padded = np.zeros((len(part), size, 4))
            rows, places = expand(counts[part])
            padded[rows, places] = xyxy[starts[part][rows] + places]
            found[part] = _grid_areas(padded)
    return found


def covered_shares(frames: IntArray, xyxy: Reals, mask_frames: IntArray, masks: Reals) -> Reals:
    """Share (n,) of each box (n, 4) that lies under the union of its frame's masks (m, 4).

    `mask_frames` is sorted; boxes have an area. Exactly 1 where one mask contains the box.
    """
    first = np.searchsorted(mask_frames, frames, side="left")
    rows, places = expand(np.searchsorted(mask_frames, frames, side="right") - first)
    boxes, near = xyxy[rows], masks[first[rows] + places]
    low = np.maximum(boxes[:, :2], near[:, :2])
    shared = np.concatenate((low, np.minimum(boxes[:, 2:], near[:, 2:])), axis=1)
    whole = (shared == boxes).all(axis=1)
    shares = np.minimum(union_areas(rows[~whole], shared[~whole], len(xyxy)) / areas(xyxy), 1.0)
    shares[rows[whole]] = 1.0
    return shares


def expand(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Row numbers, each repeated `counts[row]` times, and 0, 1, 2, ... anew for each row."""
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)


def _grid_areas(boxes: Reals) -> Reals:
    """Area (b,) under the union of each k boxes of (b, k, 4)."""
    n, k, _ = boxes.shape
    x, x_ranks = _ranked(boxes[..., 0], boxes[..., 2])
    y, y_ranks = _ranked(boxes[..., 1], boxes[..., 3])
    # Every edge has a rank of its own, equal ones with nothing between them: no two corners meet in a cell.
    steps = np.zeros((n, 2 * k, 2 * k), np.int16)
    group = np.arange(n)[:, None]
    for x_side in (0, 1):
        for y_side in (0, 1):
            steps[group, x_ranks[x_side], y_ranks[y_side]] = 1 if x_side == y_side else -1
    depth = steps.cumsum(axis=1, dtype=np.int16).cumsum(axis=2, dtype=np.int16)
    covered = (depth[:, :-1, :-1] > 0).astype(np.float64)
    columns = np.matmul(covered, np.diff(y)[..., None])[..., 0]
    total: Reals = (columns * np.diff(x)).sum(axis=1)
    return total


def _ranked(low: Reals, high: Reals) -> tuple[Reals, tuple[IntArray, IntArray]]:
    """The sorted edges (b, 2k), and the ranks (b, k) of the low and of the high ones."""
    edges = np.concatenate((low, high), axis=1)
    order = np.argsort(edges, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(edges.shape[1])[None, :], axis=1)
    k = low.shape[1]
    return np.take_along_axis(edges, order, axis=1), (ranks[:, :k], ranks[:, k:])
