from __future__ import annotations

import numpy as np

from anonflow.detect.grid import decode_cells

SIZE, STRIDES = (64, 32), (8, 16)
"""Two levels: 4 rows of 8 cells, then 2 rows of 4."""


def test_a_cell_of_the_first_level() -> None:
    raw = np.array([[0.5, 0.25, np.log(2), np.log(4)]], np.float32)
    place = np.array([1 * 8 + 3])  # row 1, column 3
    np.testing.assert_allclose(decode_cells(raw, SIZE, STRIDES, place), [[28 - 8, 10 - 16, 28 + 8, 10 + 16]])


def test_a_cell_of_the_second_level() -> None:
    place = np.array([32 + 1 * 4 + 2])  # row 1, column 2
    found = decode_cells(np.zeros((1, 4), np.float32), SIZE, STRIDES, place)
    np.testing.assert_allclose(found, [[32 - 8, 16 - 8, 32 + 8, 16 + 8]])


def test_no_places() -> None:
    found = decode_cells(np.zeros((0, 4), np.float32), SIZE, STRIDES, np.zeros(0, np.int64))
    assert found.shape == (0, 4)
