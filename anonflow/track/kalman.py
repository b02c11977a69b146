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
linear algebra. Boxes are `x1, y1, x2, y2` in px, means are (n, 8) (box, then its velocity in px a frame),
covariances (n, 3); all are float64.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

GRID_PX = 2.0**-8
COVARIANCE_GRID = 2.0**-12

# In units of the measurement's variance, (height / 20)^2.
POSITION_NOISE = 1.0
VELOCITY_NOISE = 1 / 64
BORN_COVARIANCE = (4.0, 0.0, 25 / 16)


def start(boxes: Reals) -> tuple[Reals, Reals]:
    """Means and covariances of boxes seen for the first time, at rest."""
    means = np.zeros((len(boxes), 8))
    means[:, :4] = _on_grid(boxes)
    return means, np.tile(BORN_COVARIANCE, (len(boxes), 1))


def predict(means: Reals, covariances: Reals) -> tuple[Reals, Reals]:
    """Means and covariances one frame later."""
    moved = means.copy()
    moved[:, :4] += means[:, 4:]
    position, cross, velocity = covariances.T
    spread = np.empty_like(covariances)
    spread[:, 0] = position + 2 * cross + velocity + POSITION_NOISE
    spread[:, 1] = cross + velocity
    spread[:, 2] = velocity + VELOCITY_NOISE
    return moved, spread


def update(means: Reals, covariances: Reals, boxes: Reals) -> tuple[Reals, Reals]:
    """Predicted means and covariances, corrected by the boxes (n, 4) that were found."""
    position, cross, velocity = covariances.T
    position_gain = position / (position + 1.0)
    velocity_gain = cross / (position + 1.0)
    surprise = _on_grid(boxes) - means[:, :4]
    corrected = np.empty_like(means)
    corrected[:, :4] = _on_grid(means[:, :4] + position_gain[:, None] * surprise)
    corrected[:, 4:] = _towards_rest(means[:, 4:] + velocity_gain[:, None] * surprise)
    narrowed = np.empty_like(covariances)
    narrowed[:, 0] = position - position_gain * position
    narrowed[:, 1] = cross - position_gain * cross
    narrowed[:, 2] = velocity - velocity_gain * cross
    return corrected, np.rint(narrowed / COVARIANCE_GRID) * COVARIANCE_GRID


def coast(means: Reals) -> Reals:
    """Means that keep their size from now on: for objects out of sight, whose size would run away."""
    x_velocity = (means[:, 4] + means[:, 6]) / 2
    y_velocity = (means[:, 5] + means[:, 7]) / 2
    held = means.copy()
    held[:, 4:] = _towards_rest(np.stack((x_velocity, y_velocity, x_velocity, y_velocity), axis=1))
    return held


def _on_grid(values: Reals) -> Reals:
    return np.rint(values / GRID_PX) * GRID_PX


def _towards_rest(values: Reals) -> Reals:
    return np.trunc(values / GRID_PX) * GRID_PX
