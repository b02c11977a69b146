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
interval, and the three numbers of the covariance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anonflow.types import FloatArray

Reals = NDArray[np.float64]

GRID_PX = 2.0**-8
COVARIANCE_GRID = 2.0**-12

# In units of the measurement's variance, (height / 20)^2.
POSITION_NOISE = 1.0
VELOCITY_NOISE = 1 / 64
BORN_COVARIANCE = (4.0, 0.0, 25 / 16)

BOX, VELOCITY, COVARIANCE = slice(0, 4), slice(4, 8), slice(8, 11)
WIDTH = 11


def on_grid(boxes: FloatArray) -> Reals:
    """Boxes (n, 4) as the filter takes them; between two cells of the grid, an object would never come to rest."""
    return np.rint(boxes.astype(np.float64) / GRID_PX) * GRID_PX


def start(boxes: Reals) -> Reals:
    """Motions (n, 11) of boxes (n, 4) on the grid, seen for the first time, at rest."""
    motion = np.zeros((len(boxes), WIDTH))
    motion[:, BOX] = boxes
    motion[:, COVARIANCE] = BORN_COVARIANCE
    return motion


def predict(motion: Reals, step: float = 1.0) -> Reals:
    """Motions one frame later, which is `step` usual frame intervals."""
    later = motion.copy()
    cross, velocity = motion[:, 9], motion[:, 10] * step
    later[:, BOX] += motion[:, VELOCITY] if step == 1.0 else motion[:, VELOCITY] * step
    later[:, 8] += (2 * cross + velocity + POSITION_NOISE) * step
    later[:, 9] += velocity
    later[:, 10] += VELOCITY_NOISE * step
    return later


def update(motion: Reals, boxes: Reals) -> Reals:
    """Predicted motions, corrected by the boxes (n, 4) on the grid that were found."""
    corrected = np.empty_like(motion)
    covariance = motion[:, COVARIANCE]
    # Gains of position and velocity, and what each takes off the covariance: all are shares of the first column.
    gain = covariance[:, :2] / (covariance[:, :1] + 1.0)
    surprise = boxes - motion[:, BOX]
    np.rint((motion[:, BOX] + gain[:, :1] * surprise) / GRID_PX, out=corrected[:, BOX])
    np.trunc((motion[:, VELOCITY] + gain[:, 1:] * surprise) / GRID_PX, out=corrected[:, VELOCITY])
    corrected[:, :8] *= GRID_PX
    narrowed = covariance.copy()
    narrowed[:, :2] -= gain[:, :1] * covariance[:, :2]
    narrowed[:, 2] -= gain[:, 1] * covariance[:, 1]
    corrected[:, COVARIANCE] = np.rint(narrowed / COVARIANCE_GRID) * COVARIANCE_GRID
    return corrected


def coast(motion: Reals) -> Reals:
    """Motions that keep their size from now on: for objects out of sight, whose size would run away."""
    held = motion.copy()
    mean = (motion[:, 4:6] + motion[:, 6:8]) / 2
    held[:, 4:6] = held[:, 6:8] = np.trunc(mean / GRID_PX) * GRID_PX
    return held
