from __future__ import annotations

import numpy as np

from anonflow.detect.base import Canvas
from anonflow.detect.network import InputLayout
from anonflow.detect.yolo import YoloV5, YoloV8, YoloX

CANVAS = Canvas.for_picture(64, 32, None)


def test_v5_multiplies_objectness_and_skips_landmarks() -> None:
    row = [30, 20, 10, 8, 0.5, *[99] * 8, 0.25, 0.75]
    output = np.array([[[0] * 15, row]], np.float32)
    decoder = YoloV5(InputLayout(), landmark_values=8)
    np.testing.assert_allclose(decoder.scores([output], CANVAS)[0, 1], [0.125, 0.375])
    assert decoder.boxes([output], CANVAS, 0, np.array([1])).tolist() == [[25, 16, 35, 24]]


def test_v8_is_laid_out_by_value_first() -> None:
    output = np.zeros((2, 4 + 3, 5), np.float32)
    output[1, :, 4] = [30, 20, 10, 8, 0.1, 0.2, 0.3]
    scores = YoloV8(InputLayout()).scores([output], CANVAS)
    assert scores.shape == (2, 5, 3)
    np.testing.assert_allclose(scores[1, 4], [0.1, 0.2, 0.3])
    boxes = YoloV8(InputLayout()).boxes([output], CANVAS, 1, np.array([4, 0]))
    assert boxes.tolist() == [[25, 16, 35, 24], [0, 0, 0, 0]]
    assert YoloV8(InputLayout()).boxes([output], CANVAS, 1, np.zeros(0, np.int64)).shape == (0, 4)


def test_x_applies_the_grid() -> None:
    output = np.zeros((1, 32 + 8 + 2, 5 + 2), np.float32)
    output[0, 32 + 5] = [0.5, 0.5, np.log(2), 0, 0.5, 0.2, 0.8]  # stride 16: row 1, column 1
    decoder = YoloX(InputLayout())
    np.testing.assert_allclose(decoder.scores([output], CANVAS)[0, 37], [0.1, 0.4])
    np.testing.assert_allclose(decoder.boxes([output], CANVAS, 0, np.array([37])), [[8, 16, 40, 32]])
