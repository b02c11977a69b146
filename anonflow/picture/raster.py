"""Samples of pictures that are stored without a transform: painted channel by channel, black is 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.picture.hiding import Hiding
from anonflow.types import PlaneSet

Samples = NDArray[Any]


def paint_channels(samples: Samples, n_colours: int, bit_depth: int, hiding: Hiding) -> None:
    """Paint the first `n_colours` channels of `samples` (h, w, channels), in place.

    What is hidden becomes opaque: transparency can hold a picture as colours can.
    """
    for channel in range(n_colours):
        plane = np.ascontiguousarray(samples[..., channel])
        hiding.paint(PlaneSet((plane,), 0, 0, bit_depth, full_range=True))
        samples[..., channel] = plane
    samples[hiding.hidden, n_colours:] = (1 << bit_depth) - 1


def fill_indices(samples: Samples, palette: Sequence[int], alphas: bytes, hiding: Hiding) -> None:
    """Fill what is hidden of a picture of palette indices (h, w, 1) with its darkest opaque colour, in place.

    Whatever the mask is: indices have no mean, so that there is neither mosaic nor blur. `palette` is flat RGB.
    """
    colours = np.array(palette, np.int64).reshape(-1, 3).sum(axis=1)
    opaque = np.full(len(colours), 255)
    known = np.frombuffer(alphas, np.uint8)[: len(colours)]
    opaque[: len(known)] = known
    samples[hiding.hidden] = int(np.lexsort((colours, opaque < 255))[0])


def fill_bits(samples: Samples, hiding: Hiding) -> None:
    """Fill what is hidden of a black and white or coarse grey picture (h, w, 1) with black, in place."""
    samples[hiding.hidden] = 0


def avoid(samples: Samples, transparent: Samples, hiding: Hiding) -> None:
    """Change by 1 what is hidden and has the colour (channels,) that counts as transparent, in place."""
    clear = hiding.hidden & (samples == transparent).all(axis=2)
    samples[clear, 0] = samples[clear, 0] ^ 1
