"""The motion of boxes: constant velocity per corner coordinate, filtered on a fixed grid.

The model is ByteTrack's (Zhang et al., ECCV 2022), with two changes that make it a value that can be compared:

- *One covariance for all four coordinates.* The paper's noise is a share of the box's height: 1/20 for
  positions, 1/160 for velocities. Counted in units of the measurement's variance the height cancels, and what is
  left is the same 2x2 matrix for every coordinate. It depends on which frames had a detection, never on where
  the box was, so the 8x8 covariance is three numbers: position, position-velocity, velocity.
- *Rounding to a grid.* Two filters that see the same boxes approach each other for ever and never meet. On a
  grid they do meet, within a few dozen frames, and from there on they are equal to the bit. A 1/256 px is far
  below the noise of any detector. Velocities are rounded towards zero, so that they come to rest with the
  object instead of creeping inside the last grid cell.

Only element-wise arithmetic is used: each row's result is independent of the rows beside it and of the machine's
linear algebra. A motion is a row (n, 11) of float64: the box `x1, y1, x2, y2` in px, its velocity in px a frame
interval, and the three numbers of the covariance. Columns lie together in memory: with a few dozen rows, the cost
is in the number of NumPy's inner loops.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anonflow.types import FloatArray

Reals = NDArray[np.float64]

GRID_PX = 2.0**-8
COVARIANCE_GRID = 2.0**-12

# In units of the measurement's variance, (height / 20)^2.
NOISE = np.array([[1.0], [0.0], [1 / 64]])
"""What a frame interval adds to the three numbers of the covariance."""
BORN_COVARIANCE = (4.0, 0.0, 25 / 16)

BOX, VELOCITY, COVARIANCE = slice(0, 4), slice(4, 8), slice(8, 11)
WIDTH = 11


def on_grid(boxes: FloatArray) -> Reals:
    """Boxes (n, 4) as the filter takes them; between two cells of the grid, an object would never come to rest."""
    columns = boxes.T.astype(np.float64, order="C")
    columns *= 1 / GRID_PX
    np.rint(columns, out=columns)
    columns *= GRID_PX
    return columns.T


def start(boxes: Reals) -> Reals:
    """Motions (n, 11) of boxes (n, 4) on the grid, seen for the first time, at rest."""
    motion = at_rest(len(boxes))
    motion[:, BOX] = boxes
    motion[:, COVARIANCE] = BORN_COVARIANCE
    return motion


def at_rest(n: int) -> Reals:
    """Motions (n, 11) of nothing."""
    return np.zeros((WIDTH, n)).T


def predict(motion: Reals, step: float = 1.0) -> Reals:
    """Motions one frame later, which is `step` usual frame intervals."""
    later = motion.T.copy()
    rates = later[4:8], later[9:11], NOISE
    velocity, grown, noise = rates if step == 1.0 else [rate * step for rate in rates]
    later[:4] += velocity
    # (p, c, v) becomes (p + 2c + v, c + v, v), for a step of 1.
    later[8:10] += grown
    later[8] += later[9] if step == 1.0 else later[9] * step
    later[8:] += noise
    return later.T


def update(motion: Reals, boxes: Reals) -> Reals:
    """Predicted motions, corrected by the boxes (n, 4) on the grid that were found."""
    before = np.ascontiguousarray(motion.T)
    covariance = before[8:]
    # Gains of position and velocity, and what each takes off the covariance: all are shares of the first row.
    gain = covariance[:2] / (covariance[0] + 1.0)
    after = np.empty_like(before)
    moved = after[:8].reshape(2, 4, len(boxes))
    np.multiply(gain[:, None], boxes.T - before[:4], out=moved)
    moved += before[:8].reshape(moved.shape)
    moved *= 1 / GRID_PX
    np.rint(moved[0], out=moved[0])
    np.trunc(moved[1], out=moved[1])
    moved *= GRID_PX
    narrowed = after[8:]
    np.multiply(gain[0], covariance[:2], out=narrowed[:2])
    np.multiply(gain[1], covariance[1], out=narrowed[2])
    np.subtract(covariance, narrowed, out=narrowed)
    narrowed *= 1 / COVARIANCE_GRID
    np.rint(narrowed, out=narrowed)
    narrowed *= COVARIANCE_GRID
    return after.T


def coast(motion: Reals) -> Reals:
    """Motions that keep their size from now on: for objects out of sight, whose size would run away."""
    held = motion.T.copy()
    mean = held[4:6] + held[6:8]
    mean *= 0.5 / GRID_PX
    np.trunc(mean, out=mean)
    mean *= GRID_PX
    held[4:6] = held[6:8] = mean
    return held.T
