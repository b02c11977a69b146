from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonflow.mask.area import hidden_area
from anonflow.mask.keep import KeepShape
from anonflow.mask.paint import paint
from anonflow.mask.shapes import MaskShape
from anonflow.types import PlaneSet

WIDTH, HEIGHT = 40, 30
OUTLINES = st.sampled_from(["box", "ellipse"])
SPANS = st.tuples(st.integers(0, 18), st.integers(0, 13), st.integers(1, 10), st.integers(1, 10))


def frame(shift: int) -> PlaneSet:
    planes = [np.full((HEIGHT, WIDTH), 200, np.uint8)] + [
        np.full((HEIGHT >> shift, WIDTH >> shift), 9, np.uint8)
    ] * 2
    return PlaneSet(tuple(plane.copy() for plane in planes), shift, shift, 8, full_range=True)


@given(st.lists(st.tuples(OUTLINES, SPANS), max_size=3), SPANS, SPANS, st.integers(0, 1))
def test_it_is_what_painting_touches(
    shapes: list[tuple[str, tuple[int, int, int, int]]],
    kept: tuple[int, int, int, int],
    by_hand: tuple[int, int, int, int],
    shift: int,
) -> None:
    def corners(span: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        x, y, width, height = (2 * value for value in span)
        return x, y, min(WIDTH, x + width), min(HEIGHT, y + height)

    drawn = [MaskShape("solid", outline, *corners(span), 0) for outline, span in shapes]
    keep, hide = [KeepShape(*corners(kept))], [MaskShape("solid", "box", *corners(by_hand), 0)]
    planes = frame(shift)
    area = hidden_area(planes, drawn, keep, hide)
    assert (planes.planes[0] == 200).all(), "the frame itself is not touched"
    paint(planes, drawn, keep)
    paint(planes, hide)
    np.testing.assert_array_equal(area, planes.planes[0] == 0)


def test_mosaics_hide_as_much_as_fills() -> None:
    shape = MaskShape("pixelate", "ellipse", 4, 4, 20, 20, 4)
    fill = MaskShape("solid", "ellipse", 4, 4, 20, 20, 0)
    np.testing.assert_array_equal(hidden_area(frame(1), [shape], [], []), hidden_area(frame(1), [fill], [], []))
