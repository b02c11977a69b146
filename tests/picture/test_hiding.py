from __future__ import annotations

from anonflow.picture.hiding import Grid
from tests.pictures import solid


def test_planes_of_a_grid_have_its_size_and_no_memory() -> None:
    planes = Grid(50_000, 40_000, 1, 1).plane_set()
    assert (planes.width, planes.height, planes.chroma_shift_x) == (50_000, 40_000, 1)
    assert planes.planes[0].strides == (0, 0)


def test_nothing_to_hide_is_empty() -> None:
    assert solid(Grid(9, 9), None).is_empty and not solid(Grid(9, 9), (0, 0, 1, 1)).is_empty
