from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.detect.base import GRID_PX, Canvas, fit

SIDES = st.integers(1, 8000)
NETWORKS = st.none() | st.tuples(st.integers(32, 1280), st.integers(32, 1280))


@pytest.mark.parametrize(
    ("size", "long_side_px", "max_upscale", "expected"),
    [
        ((1920, 1080), 640, 1.0, (640, 360)),
        ((1080, 1920), 640, 1.0, (360, 640)),
        ((320, 240), 640, 1.0, (320, 240)),
        ((320, 240), 640, 1.5, (480, 360)),
        ((320, 240), 640, 4.0, (640, 480)),
        ((4000, 1), 640, 1.0, (640, 1)),
        ((1, 1), 640, 1.0, (1, 1)),
    ],
)
def test_fit(size: tuple[int, int], long_side_px: int, max_upscale: float, expected: tuple[int, int]) -> None:
    assert fit(*size, long_side_px, max_upscale) == expected


@given(SIDES, SIDES, st.integers(32, 4000), st.floats(0.1, 8))
def test_fit_never_exceeds_its_limits(width: int, height: int, long_side_px: int, max_upscale: float) -> None:
    fitted = fit(width, height, long_side_px, max_upscale)
    assert min(fitted) >= 1
    assert max(fitted) <= long_side_px
    assert all(new <= max(1, old * max_upscale + 0.5) for new, old in zip(fitted, (width, height), strict=True))


def test_a_free_canvas_is_the_picture_padded_to_the_grid() -> None:
    canvas = Canvas.for_picture(640, 360, None)
    assert canvas == Canvas((640, 360), (640, 360), (640, 384))


def test_a_fixed_canvas_shrinks_but_never_enlarges() -> None:
    assert Canvas.for_picture(640, 360, (320, 320)) == Canvas((640, 360), (320, 180), (320, 320))
    assert Canvas.for_picture(100, 50, (320, 320)) == Canvas((100, 50), (100, 50), (320, 320))


@given(SIDES, SIDES, NETWORKS)
def test_the_placed_picture_always_fits_the_canvas(
    width: int, height: int, network: tuple[int, int] | None
) -> None:
    canvas = Canvas.for_picture(width, height, network)
    assert all(1 <= placed <= size for placed, size in zip(canvas.placed, canvas.size, strict=True))
    assert canvas.size == network if network else all(side % GRID_PX == 0 for side in canvas.size)


@given(SIDES, SIDES, NETWORKS)
def test_the_placed_rectangle_maps_to_the_whole_picture(
    width: int, height: int, network: tuple[int, int] | None
) -> None:
    canvas = Canvas.for_picture(width, height, network)
    whole = canvas.to_picture(np.array([[0, 0, *canvas.placed]], np.float32))
    np.testing.assert_allclose(whole, [[0, 0, width, height]], rtol=1e-6)


def test_boxes_are_clipped_to_the_picture_and_not_to_the_canvas() -> None:
    canvas = Canvas.for_picture(100, 50, None)
    clipped = canvas.to_picture(np.array([[-5, 10, 120, 60]], np.float32))
    assert clipped.dtype == np.float32
    assert clipped.tolist() == [[0, 10, 100, 50]]
