from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from anonflow.picture.turn import TURNS
from tests.pictures import camera, scene


@pytest.mark.parametrize("orientation", TURNS)
def test_upright_is_what_viewers_show(orientation: int) -> None:
    image = scene()
    image.info["exif"] = camera(orientation).tobytes()
    expected = np.asarray(ImageOps.exif_transpose(image))
    turn = TURNS[orientation]
    np.testing.assert_array_equal(turn.upright(np.asarray(scene())), expected)
    assert turn.shown_size(*image.size) == (expected.shape[1], expected.shape[0])


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("scale", [1, 4])
def test_a_box_found_upright_lies_on_the_same_thing_in_the_stored_picture(orientation: int, scale: int) -> None:
    x1, y1, x2, y2 = 20, 8, 36, 24
    stored = np.zeros((64, 96, 3), np.uint8)
    stored[y1:y2, x1:x2] = 255
    turn = TURNS[orientation]
    upright = turn.upright(stored)
    rows, columns = np.nonzero(upright[..., 0])
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32) / scale
    size = (upright.shape[1] / scale, upright.shape[0] / scale)
    back = turn.boxes_to_stored(box, size, (96, 64))
    np.testing.assert_allclose(back, [[x1, y1, x2, y2]], atol=1e-3)


def test_the_numbers_are_those_of_exif() -> None:
    assert sorted(TURNS) == list(range(1, 9))
    assert Image.Transpose.ROTATE_270 is not None and TURNS[6].rotation_deg == 270
