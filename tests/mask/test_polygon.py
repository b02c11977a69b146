from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anonflow.mask.polygon import enclosed_cells, touched_cells

ROWS, COLUMNS = 12, 17
coordinates = st.floats(-6, 22) | st.integers(-6, 22).map(float) | st.sampled_from([3 - 1e-13, 3 + 1e-13, 5e-324])
polygons = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=8)
SLIVER = [(0.1, 3.0), (16.9, 3.0 + 1e-13), (0.1, 3.0 - 1e-13)]


def cells_of(points: Any) -> Any:
    """Of points: row and column of the cell that each lies in, those outside of the grid left out."""
    column, row = np.floor(np.asarray(points, float)).astype(int).T
    inside = (row >= 0) & (row < ROWS) & (column >= 0) & (column < COLUMNS)
    return row[inside], column[inside]


def windings(points: Any, corners: Any) -> Any:
    """How often the polygon winds around each point, by the angle that its corners turn through."""
    to = np.asarray(corners)[None] - np.asarray(points)[:, None]
    angle = np.unwrap(np.arctan2(to[..., 1], to[..., 0]), axis=1, period=2 * np.pi)
    closing = np.arctan2(to[:, 0, 1], to[:, 0, 0]) - angle[:, -1]
    turned = angle[:, -1] - angle[:, 0] + (closing + np.pi) % (2 * np.pi) - np.pi
    return np.round(turned / (2 * np.pi)).astype(int)


def samples() -> Any:
    """Points all over the grid, 16 a cell, none of them on a line between cells."""
    x, y = np.meshgrid(np.arange(0.125, COLUMNS, 0.25), np.arange(0.125, ROWS, 0.25))
    return np.stack([x.ravel(), y.ravel()], axis=1)


SAMPLES = samples()


def edge_samples(corners: Any) -> Any:
    """Points along the edges."""
    starts, ends = np.asarray(corners), np.roll(np.asarray(corners), -1, axis=0)
    along = np.linspace(0, 1, 97)[:, None, None]
    return (starts + along * (ends - starts)).reshape(-1, 2)


def distance(points: Any, corners: Any) -> Any:
    """From each point to the nearest edge."""
    starts, ends = np.asarray(corners)[:, None], np.roll(np.asarray(corners), -1, axis=0)[:, None]
    along, to = ends - starts, points[None] - starts
    share = (to * along).sum(axis=2) / np.maximum((along**2).sum(axis=2), 1e-300)
    return np.hypot(*np.moveaxis(to - share.clip(0, 1)[..., None] * along, 2, 0)).min(axis=0)


def clear(corners: Any) -> Any:
    """The samples that are far enough from every edge that rounding does not decide on which side they lie."""
    return SAMPLES[distance(SAMPLES, corners) > 1e-9]


@given(polygons)
@example(SLIVER)
@settings(deadline=None, max_examples=80)
def test_every_cell_that_a_point_of_the_polygon_lies_in_is_touched(corners: Any) -> None:
    touched = touched_cells(np.array(corners), ROWS, COLUMNS)
    assert touched[cells_of(edge_samples(corners))].all()
    points = clear(corners)
    assert touched[cells_of(points[windings(points, corners) != 0])].all()


@given(polygons)
@example(SLIVER)
@settings(deadline=None, max_examples=80)
def test_an_enclosed_cell_has_no_point_outside_of_the_polygon_and_no_edge(corners: Any) -> None:
    enclosed = enclosed_cells(np.array(corners), ROWS, COLUMNS)
    assert not enclosed[cells_of(edge_samples(corners))].any()
    points = clear(corners)
    assert not enclosed[cells_of(points[windings(points, corners) % 2 == 0])].any()


@given(polygons)
@settings(deadline=None, max_examples=40)
def test_no_more_is_touched_than_the_grid_asks(corners: Any) -> None:
    """A touched cell has an edge through it, so nearer to its centre than its corner is, or lies within."""
    row, column = np.nonzero(touched_cells(np.array(corners), ROWS, COLUMNS))
    centres = np.stack([column, row], axis=1) + 0.5
    assert ((distance(centres, corners) < np.sqrt(0.5) + 1e-5) | (windings(centres, corners) != 0)).all()


quarters = st.integers(-24, 88).map(lambda n: n / 4)


@given(st.lists(st.tuples(quarters, quarters), min_size=3, max_size=8), st.integers(0, 7))
@settings(deadline=None, max_examples=60)
def test_where_the_drawing_begins_and_which_way_it_goes_does_not_matter(corners: Any, turn: int) -> None:
    turned = np.array([*corners[turn:], *corners[:turn]])
    for cells in (touched_cells, enclosed_cells):
        as_drawn = cells(np.array(corners), ROWS, COLUMNS)
        assert np.array_equal(as_drawn, cells(turned, ROWS, COLUMNS))
        assert np.array_equal(as_drawn, cells(turned[::-1], ROWS, COLUMNS))


def test_a_rectangle_between_the_lines_touches_what_it_overlaps_and_encloses_what_is_whole() -> None:
    corners = np.array([(2.5, 1.5), (8.5, 1.5), (8.5, 6.5), (2.5, 6.5)])
    touched, enclosed = (np.zeros((ROWS, COLUMNS), bool) for _ in range(2))
    touched[1:7, 2:9] = True
    enclosed[2:6, 3:8] = True
    assert np.array_equal(touched_cells(corners, ROWS, COLUMNS), touched)
    assert np.array_equal(enclosed_cells(corners, ROWS, COLUMNS), enclosed)


def test_a_star_drawn_in_one_stroke_hides_its_middle_and_keeps_it_not() -> None:
    angle = np.arange(5) * 4 * np.pi / 5
    star = np.stack([20 + 18 * np.sin(angle), 20 + 18 * np.cos(angle)], axis=1)
    assert touched_cells(star, 40, 40)[20, 20] and not enclosed_cells(star, 40, 40)[20, 20]
    assert enclosed_cells(star, 40, 40).any()


@pytest.mark.parametrize("corners", [[(-9, -9), (60, -9), (60, 60), (-9, 60)], [(-99, 6), (9, -99), (99, 99)]])
def test_a_polygon_around_the_grid_holds_all_of_it(corners: Any) -> None:
    assert touched_cells(np.array(corners, float), ROWS, COLUMNS).all()
    assert enclosed_cells(np.array(corners, float), ROWS, COLUMNS).all()


@pytest.mark.parametrize(
    "corners", [[(20, 1), (30, 1), (30, 9)], [(-9, -9), (-2, -3), (-5, 30)], [(1, 13), (9, 13), (5, 20)]]
)
def test_a_polygon_beside_the_grid_touches_nothing(corners: Any) -> None:
    assert not touched_cells(np.array(corners, float), ROWS, COLUMNS).any()
