from __future__ import annotations

import numpy as np

from anonflow.picture.hiding import Grid
from anonflow.picture.raster import avoid, fill_bits, fill_indices, paint_channels
from tests.pictures import solid

GRID = Grid(10, 8)
HIDING = solid(GRID, (2, 3, 7, 6))


def samples(channels: int, high: int = 255) -> np.ndarray:
    return np.random.default_rng(2).integers(5, high, (8, 10, channels)).astype(np.uint16)


def test_colours_become_black_and_opaque() -> None:
    before = samples(4)
    after = before.copy()
    paint_channels(after, 3, 16, HIDING)
    assert (after[HIDING.hidden][:, :3] == 0).all()
    assert (after[HIDING.hidden][:, 3] == 65535).all(), "a picture in the transparency would stay"
    np.testing.assert_array_equal(after[~HIDING.hidden], before[~HIDING.hidden])


def test_indices_become_the_darkest_that_can_be_seen() -> None:
    palette = [9, 9, 9, 0, 0, 0, 5, 0, 0, 200, 200, 200]
    for alphas, expected in ((b"", 1), (b"\xff\0", 2), (b"\0\0\0\0", 1)):
        indices = np.full((8, 10, 1), 3, np.uint8)
        fill_indices(indices, palette, alphas, HIDING)
        assert (indices[HIDING.hidden] == expected).all() and (indices[~HIDING.hidden] == 3).all()


def test_bits_become_black() -> None:
    bits = np.ones((8, 10, 1), np.bool_)
    fill_bits(bits, HIDING)
    np.testing.assert_array_equal(~bits[..., 0], HIDING.hidden)


def test_no_mask_has_the_transparent_colour() -> None:
    for channels in (1, 3):
        after = samples(channels)
        paint_channels(after, channels, 8, HIDING)
        avoid(after, np.zeros(channels, np.uint16), HIDING)
        assert after[HIDING.hidden].any(axis=1).all() and after[HIDING.hidden].max() == 1
