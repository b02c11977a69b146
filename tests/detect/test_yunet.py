from __future__ import annotations

import numpy as np

from anonflow.detect.base import Canvas
from anonflow.detect.network import InputLayout
from anonflow.detect.yunet import YuNet

DECODER = YuNet(InputLayout())
CANVAS = Canvas.for_picture(64, 32, None)
LEVELS = (32, 8, 2)
"""Places at strides 8, 16, 32 of a 64 x 32 input."""


def outputs() -> list[np.ndarray]:
    """One face, at row 1, column 2 of stride 16."""
    classes, objectness = ([np.zeros((1, n, 1), np.float32) for n in LEVELS] for _ in range(2))
    boxes = [np.zeros((1, n, 4), np.float32) for n in LEVELS]
    classes[1][0, 6], objectness[1][0, 6] = 1.2, 0.25
    boxes[1][0, 6] = [0.5, -0.25, np.log(2), np.log(3)]
    return [*classes, *objectness, *boxes]


def test_outputs_are_asked_for_by_kind_and_stride() -> None:
    assert DECODER.output_names[:4] == ("cls_8", "cls_16", "cls_32", "obj_8")
    assert DECODER.output_names[-1] == "bbox_32"


def test_the_score_is_the_geometric_mean_of_clipped_scores() -> None:
    scores = DECODER.scores(outputs(), CANVAS)
    assert scores.shape == (1, sum(LEVELS), 1)
    assert scores[0, 32 + 6, 0] == 0.5
    assert np.count_nonzero(scores) == 1


def test_a_box_is_offset_and_log_size_in_cells() -> None:
    box = DECODER.boxes(outputs(), CANVAS, 0, np.array([32 + 6]))
    x, y = (2 + 0.5) * 16, (1 - 0.25) * 16
    np.testing.assert_allclose(box, [[x - 16, y - 24, x + 16, y + 24]], rtol=1e-6)
