from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.config import MaskStyle
from anonflow.mask.shapes import MaskShape, covered_cells, mask_shapes
from tests.mask.frames import BLUR, PIXELATE, SOLID, STYLES, Layout, boxes, layouts, plan_of, touched_pixels

FRAME = Layout(64, 48, "4:2:0").frame()


@settings(deadline=None, max_examples=60)
@given(layouts(), boxes())
def test_a_shape_covers_every_pixel_that_its_box_touches_and_lies_on_the_chroma_grid(
    layout: Layout, box: Any
) -> None:
    frame = layout.frame()
    touched = touched_pixels(frame, box)
    shapes = mask_shapes(plan_of([box]), STYLES, frame)
    if touched is None:
        assert shapes == ()
        return
    (shape,) = shapes
    rows, columns = touched
    assert shape.y1 <= rows.start and shape.y2 >= rows.stop and shape.x1 <= columns.start
    assert shape.x2 >= columns.stop
    assert 0 <= shape.x1 < shape.x2 <= frame.width and 0 <= shape.y1 < shape.y2 <= frame.height
    cell_x, cell_y = 1 << frame.chroma_shift_x, 1 << frame.chroma_shift_y
    assert shape.x1 % cell_x == 0 and shape.y1 % cell_y == 0
    assert shape.x2 % cell_x == 0 or shape.x2 == frame.width
    assert shape.y2 % cell_y == 0 or shape.y2 == frame.height
    # Outward, but not further than the grid asks.
    assert columns.start - shape.x1 < cell_x and shape.x2 - columns.stop < cell_x
    assert rows.start - shape.y1 < cell_y and shape.y2 - rows.stop < cell_y


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(boxes(), st.integers(0, 2)), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_the_plan_does_not_matter(rows: Any, random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    plans = [plan_of([box for box, _ in part], [label for _, label in part]) for part in (rows, shuffled)]
    assert mask_shapes(plans[0], STYLES, FRAME) == mask_shapes(plans[1], STYLES, FRAME)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(boxes(), st.integers(0, 2)), max_size=8))
def test_solid_fills_come_last(rows: Any) -> None:
    plan = plan_of([box for box, _ in rows], [label for _, label in rows])
    is_solid = [shape.operator == "solid" for shape in mask_shapes(plan, STYLES, FRAME)]
    assert is_solid == sorted(is_solid)


def test_equal_shapes_are_one() -> None:
    plan = plan_of([(4, 4, 20, 20), (4.5, 4.5, 19.5, 19.5), (4, 4, 20, 20)])
    assert len(mask_shapes(plan, STYLES, FRAME)) == 1


def test_each_label_has_its_own_style() -> None:
    plan = plan_of([(0, 0, 8, 8), (16, 0, 24, 8), (32, 0, 40, 8)], [0, 1, 2])
    found = {shape.x1: shape.operator for shape in mask_shapes(plan, STYLES, FRAME)}
    assert found == {0: "solid", 16: "pixelate", 32: "blur"}


@pytest.mark.parametrize("style", [PIXELATE, BLUR], ids=["pixelate", "blur"])
def test_strength_grows_with_the_object_and_has_a_minimum(style: MaskStyle) -> None:
    frame = Layout(1024, 1024, "4:2:0").frame()
    strengths = [
        mask_shapes(plan_of([(0, 0, side, side / 2)]), [style], frame)[0].strength_px for side in (4, 100, 200, 400)
    ]
    least = style.min_cell_px if style is PIXELATE else style.min_sigma_px
    assert strengths == [least, 50, 100, 200]


def test_more_cells_are_a_weaker_mosaic() -> None:
    fine = replace(PIXELATE, cells=8)
    frame = Layout(256, 256, "4:2:0").frame()
    plan = plan_of([(0, 0, 160, 160)])
    assert mask_shapes(plan, [fine], frame)[0].strength_px == 20
    assert mask_shapes(plan, [PIXELATE], frame)[0].strength_px == 80


def test_no_plan_no_shapes() -> None:
    assert mask_shapes(plan_of([]), STYLES, FRAME) == ()


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([(0, 0), (1, 0), (1, 1), (2, 2)]))
def test_an_ellipse_hides_every_pixel_that_the_true_ellipse_touches(width: int, height: int, shifts: Any) -> None:
    shape = MaskShape("solid", "ellipse", 0, 0, width, height, 0)
    cells = covered_cells(shape, *shifts).repeat(1 << shifts[1], 0).repeat(1 << shifts[0], 1)[:height, :width]
    # Sample the ellipse densely: each point of it must lie in a hidden pixel.
    angle, radius = np.meshgrid(np.linspace(0, 2 * np.pi, 181), np.linspace(0, 0.999999, 41))
    x = np.clip(width / 2 * (1 + radius * np.cos(angle)), 0, width - 1e-9).astype(int)
    y = np.clip(height / 2 * (1 + radius * np.sin(angle)), 0, height - 1e-9).astype(int)
    assert cells[y, x].all()


def test_an_ellipse_leaves_the_corners_of_its_box() -> None:
    cells = covered_cells(MaskShape("solid", "ellipse", 0, 0, 40, 40, 0), 1, 1)
    assert not cells[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    assert np.isclose(cells.mean(), np.pi / 4, atol=0.12)


def test_a_box_hides_all_its_cells() -> None:
    cells = covered_cells(MaskShape("solid", "box", 0, 0, 7, 5, 0), 1, 1)
    assert cells.shape == (3, 4) and cells.all()


def test_a_box_of_no_area_or_outside_gives_no_shape() -> None:
    outside = [(70, 0, 90, 10), (0, 50, 10, 60), (-20, 0, -1, 10), (0, -9, 9, 0)]
    assert mask_shapes(plan_of(outside), [SOLID], FRAME) == ()


polygons = st.lists(st.tuples(st.floats(-10, 60), st.floats(-10, 60)), min_size=3, max_size=7)


@settings(deadline=None, max_examples=60)
@given(polygons, st.sampled_from([(0, 0), (1, 0), (1, 1), (2, 2)]), st.integers(0, 5), st.integers(0, 5))
def test_a_polygon_hides_every_pixel_of_its_box_that_a_point_of_it_lies_in(
    points: Any, shifts: Any, column: int, row: int
) -> None:
    """By the points of its edges; those of its inside are told of below and in the tests of polygons."""
    x1, y1 = column << shifts[0], row << shifts[1]
    shape = MaskShape("solid", "polygon", x1, y1, 47, 41, 0, tuple(points))
    cells = covered_cells(shape, *shifts).repeat(1 << shifts[1], 0).repeat(1 << shifts[0], 1)
    along = np.linspace(0, 1, 199)[:, None, None]
    starts, ends = np.array(points), np.roll(points, -1, axis=0)
    x, y = np.floor(starts + along * (ends - starts)).astype(int).reshape(-1, 2).T
    inside = (x >= x1) & (x < 47) & (y >= y1) & (y < 41)
    assert cells[y[inside] - y1, x[inside] - x1].all()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 40), st.floats(0, 40)), min_size=3, max_size=3), st.sampled_from([0, 1, 2]))
def test_a_triangle_hides_every_pixel_that_its_inside_reaches(points: Any, shift: int) -> None:
    shape = MaskShape("solid", "polygon", 0, 0, 44, 44, 0, tuple(points))
    cells = covered_cells(shape, shift, shift).repeat(1 << shift, 0).repeat(1 << shift, 1)
    a, b = np.meshgrid(np.linspace(0, 1, 61), np.linspace(0, 1, 61))
    a, b = a.ravel(), b.ravel() * (1 - a.ravel())
    weights = np.stack([a, b, 1 - a - b], axis=1)
    x, y = np.floor(weights @ np.array(points)).astype(int).T
    assert cells[y, x].all()


def test_a_polygon_leaves_the_corners_of_its_box() -> None:
    diamond = MaskShape("solid", "polygon", 0, 0, 400, 400, 0, ((200, 1), (399, 200), (200, 399), (1, 200)))
    cells = covered_cells(diamond, 1, 1)
    assert not cells[[0, 0, -1, -1], [0, -1, 0, -1]].any() and cells[100, 100]
    assert np.isclose(cells.mean(), 0.5, atol=0.01)


def test_the_cells_of_a_polygon_are_computed_once_and_cannot_be_changed() -> None:
    diamond = MaskShape("solid", "polygon", 0, 0, 40, 40, 0, ((20, 0), (40, 20), (20, 40), (0, 20)))
    cells = covered_cells(diamond, 1, 1)
    assert covered_cells(replace(diamond), 1, 1) is cells
    with pytest.raises(ValueError, match="read-only"):
        cells[0, 0] = True
