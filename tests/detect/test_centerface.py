from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from anonflow.detect.base import Canvas
from anonflow.detect.centerface import CenterFace, free_input_size
from anonflow.detect.network import InputLayout

DECODER = CenterFace(InputLayout(rgb=True), ("heat", "size", "offset"))
CANVAS = Canvas.for_picture(64, 32, None)


def outputs() -> list[np.ndarray]:
    """Two pictures; the second has a face at row 2, column 5."""
    heat, size, offset = np.zeros((2, 1, 8, 16)), np.zeros((2, 2, 8, 16)), np.zeros((2, 2, 8, 16))
    heat[1, 0, 2, 5] = 0.9
    size[1, :, 2, 5] = np.log(6), np.log(3)  # height, width
    offset[1, :, 2, 5] = 0.25, -0.5  # y, x
    return [array.astype(np.float32) for array in (heat, size, offset)]


def test_a_place_is_a_heatmap_cell() -> None:
    scores = DECODER.scores(outputs(), CANVAS)
    assert scores.shape == (2, 8 * 16, 1)
    assert np.argwhere(scores > 0.5).tolist() == [[1, 2 * 16 + 5, 0]]


def test_a_box_has_centre_offset_and_size() -> None:
    box = DECODER.boxes(outputs(), CANVAS, 1, np.array([2 * 16 + 5]))
    x, y = (5 - 0.5 + 0.5) * 4, (2 + 0.25 + 0.5) * 4
    np.testing.assert_allclose(box, [[x - 6, y - 12, x + 6, y + 12]], rtol=1e-6)


def test_freed_weights_take_any_batch_and_size() -> None:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [10, 3, 32, 32])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [10, 3, 32, 32])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    freed = free_input_size(model.SerializeToString())
    onnx.checker.check_model(onnx.load_from_string(freed))
    session = onnxruntime.InferenceSession(freed, providers=["CPUExecutionProvider"])
    picture = np.ones((2, 3, 64, 96), np.float32)
    assert session.run(None, {"x": picture})[0].shape == picture.shape
