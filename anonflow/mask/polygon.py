"""Which cells of a grid a polygon touches, and which lie wholly within it: exact, so that both can be relied on.

Points are (n, 2) float64 `x, y` in cells, from the corner of the grid; they may lie outside of it. Where a polygon
crosses itself, all that it winds around counts as touched, and only what the even-odd rule calls inside as within.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float64]
Cells = NDArray[np.bool_]

_SLACK_CELLS = 1e-6
"""How near to an edge a cell counts as touched by it; far above the rounding of float64, far below a pixel."""


def touched_cells(corners: Corners, rows: int, columns: int) -> Cells:
    """The cells, (rows, columns) bool, that have any point of the polygon or its edges in them."""
    return np.asarray(_on_edges(corners, rows, columns) | (_winding(corners, rows, columns) != 0), np.bool_)


def enclosed_cells(corners: Corners, rows: int, columns: int) -> Cells:
    """The cells, (rows, columns) bool, that lie wholly in the polygon; no edge comes near them."""
    return np.asarray(~_on_edges(corners, rows, columns) & (_winding(corners, rows, columns) % 2 == 1), np.bool_)


def _on_edges(corners: Corners, rows: int, columns: int) -> Cells:
    """Each edge is cut into its pieces by row; a piece touches the columns between its ends."""
    (x1, y1), (x2, y2) = corners.T[..., None], np.roll(corners, -1, axis=0).T[..., None]
    top = np.arange(rows) - _SLACK_CELLS
    bottom = top + 1 + 2 * _SLACK_CELLS
    start, stop = np.maximum(np.minimum(y1, y2), top), np.minimum(np.maximum(y1, y2), bottom)
    ends = np.stack([_x_at(start, x1, y1, x2, y2, level=x1), _x_at(stop, x1, y1, x2, y2, level=x2)])
    left = np.floor(ends.min(axis=0) - _SLACK_CELLS).clip(-1, columns).astype(np.int64)
    right = np.floor(ends.max(axis=0) + _SLACK_CELLS).clip(-1, columns).astype(np.int64)
    edge, row = np.nonzero((start <= stop) & (left < columns) & (right >= 0))
    change = np.zeros((rows, columns + 1), np.int64)
    np.add.at(change, (row, left[edge, row].clip(0)), 1)
    np.add.at(change, (row, np.minimum(right[edge, row] + 1, columns)), -1)
    return change[:, :columns].cumsum(axis=1) > 0


def _winding(corners: Corners, rows: int, columns: int) -> NDArray[np.int64]:
    """How often the polygon winds around the centre of each cell, by the edges to the right of it."""
    (x1, y1), (x2, y2) = corners.T[..., None], np.roll(corners, -1, axis=0).T[..., None]
    middle = np.arange(rows) + 0.5
    edge, row = np.nonzero((y1 <= middle) != (y2 <= middle))
    x = _x_at(np.broadcast_to(middle, (len(corners), rows)), x1, y1, x2, y2, level=x1)[edge, row]
    direction = np.where(y2 > y1, 1, -1)[edge, 0]
    change = np.zeros((rows, columns + 1), np.int64)
    # An edge at x has the centres of the cells 0..ceil(x - 0.5) - 1 on its left.
    np.add.at(change, (row, np.ceil(x - 0.5).clip(0, columns).astype(np.int64)), direction)
    return change[:, :0:-1].cumsum(axis=1)[:, ::-1]


def _x_at(y: Corners, x1: Corners, y1: Corners, x2: Corners, y2: Corners, *, level: Corners) -> Corners:
    """Where an edge is at the height `y`, at most at its ends; at `level` if the edge is level."""
    height = np.broadcast_to(y2 - y1, y.shape)
    with np.errstate(over="ignore"):  # far above or below an edge that is all but level
        share = np.divide(y - y1, height, out=np.zeros(y.shape), where=height != 0).clip(0, 1)
    return np.where(height != 0, x1 + share * (x2 - x1), level)
