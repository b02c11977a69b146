from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from anonflow.detect.base import Canvas
from anonflow.detect.network import InputLayout, NetworkDetector, Outputs, preprocess
from anonflow.errors import DetectorOutputError
from anonflow.types import FloatArray, IntArray

RED = np.full((20, 30, 3), (0, 0, 255), np.uint8)
"""BGR."""


def test_preprocess_orders_channels_and_normalises() -> None:
    canvas = Canvas.for_picture(30, 20, None)
    blob = preprocess([RED, RED], canvas, InputLayout(rgb=True, mean=(55, 10, 20), scale=0.5, pad=30))
    assert blob.shape == (2, 3, 32, 32)
    assert blob.dtype == np.float32
    assert blob[1, :, 0, 0].tolist() == [100, -5, -10]
    assert blob[1, :, 19, 29].tolist() == [100, -5, -10]
    assert blob[1, :, 20, 0].tolist() == blob[1, :, 0, 30].tolist() == [-12.5, 10, 5]


def test_preprocess_keeps_bgr_where_the_network_wants_it() -> None:
    blob = preprocess([RED], Canvas.for_picture(30, 20, None), InputLayout(mean=(1, 2, 3)))
    assert blob[0, :, 0, 0].tolist() == [-1, -2, 252]


def test_preprocess_shrinks_to_a_fixed_canvas() -> None:
    blob = preprocess([RED], Canvas.for_picture(30, 20, (15, 15)), InputLayout(pad=7))
    assert blob.shape == (1, 3, 15, 15)
    assert np.unique(blob[0, 2, :10]).tolist() == [255]
    assert np.unique(blob[0, :, 10:]).tolist() == [7]


@dataclass
class FixedNetwork:
    """Returns the same scores (batch, places, classes) and boxes (batch, places, 4), whatever it sees."""

    scores: FloatArray
    boxes: FloatArray
    provider: str = "cpu"
    input_size: tuple[int, int] | None = None
    seen: list[FloatArray] = field(default_factory=list)

    def run(self, blob: FloatArray) -> list[FloatArray]:
        self.seen.append(blob)
        return [self.scores, self.boxes]


class PlainDecoder:
    input = InputLayout()
    output_names = ("scores", "boxes")

    def scores(self, outputs: Outputs, canvas: Canvas) -> FloatArray:
        return outputs[0]

    def boxes(self, outputs: Outputs, canvas: Canvas, picture: int, places: IntArray) -> FloatArray:
        return outputs[1][picture, places]


def detector(scores: object, boxes: object, codes: tuple[int, ...] = (0,), **network: object) -> NetworkDetector:
    fixed = FixedNetwork(np.array(scores, np.float32), np.array(boxes, np.float32), **network)  # type: ignore[arg-type]  # only known fields
    return NetworkDetector("tiny", fixed, PlainDecoder(), np.array(codes, np.int16), 0.3, 0.5)


def test_scores_at_the_floor_are_kept_and_those_below_are_not() -> None:
    found = detector([[[0.3], [0.29]]], [[[1, 1, 5, 5], [6, 6, 9, 9]]]).detect([RED])[0]
    assert found.xyxy.tolist() == [[1, 1, 5, 5]]
    assert found.scores.tolist() == [np.float32(0.3)]
    assert (found.xyxy.dtype, found.scores.dtype, found.classes.dtype) == (np.float32, np.float32, np.int16)


def test_each_picture_gets_its_own_boxes() -> None:
    two = detector([[[0.9]], [[0.8]]], [[[1, 1, 5, 5]], [[2, 2, 6, 6]]]).detect([RED, RED])
    assert [found.xyxy.tolist() for found in two] == [[[1, 1, 5, 5]], [[2, 2, 6, 6]]]


def test_classes_become_labels_and_ignored_ones_vanish() -> None:
    scores = [[[0.9, 0.8, 0.7]]]
    found = detector(scores, [[[1, 1, 5, 5]]], codes=(-1, 1, 0)).detect([RED])[0]
    assert found.classes.tolist() == [1, 0]
    assert found.scores.tolist() == [np.float32(0.8), np.float32(0.7)]


def test_classes_of_one_label_are_rivals() -> None:
    found = detector([[[0.9, 0.8]]], [[[1, 1, 5, 5]]], codes=(0, 0)).detect([RED])[0]
    assert found.scores.tolist() == [np.float32(0.9)]


def test_a_box_over_the_border_is_clipped_and_keeps_its_score() -> None:
    found = detector([[[0.9]]], [[[-10, -10, 50, 50]]]).detect([RED])[0]
    assert found.xyxy.tolist() == [[0, 0, 30, 20]]
    assert found.scores.tolist() == [np.float32(0.9)]


def test_a_box_in_the_padding_is_no_detection() -> None:
    assert len(detector([[[0.9]]], [[[0, 21, 10, 30]]]).detect([RED])[0]) == 0


def test_boxes_of_a_shrunk_picture_are_enlarged_again() -> None:
    found = detector([[[0.9]]], [[[1, 2, 3, 4]]], input_size=(15, 15)).detect([RED])[0]
    assert found.xyxy.tolist() == [[2, 4, 6, 8]]


def test_no_pictures_need_no_network() -> None:
    without = detector([[[0.9]]], [[[1, 1, 5, 5]]])
    assert without.detect([]) == []
    assert without.network.seen == []  # type: ignore[attr-defined]  # it is a FixedNetwork


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_values_that_are_no_numbers_never_pass(bad: float, place: int) -> None:
    """Also at a place whose score would be below the floor: NaN compares as false."""
    outputs = np.array([[[0.1], [0.1]]]), np.ones((1, 2, 4))
    for output in outputs:
        broken = [array.copy() for array in outputs]
        broken[[o is output for o in outputs].index(True)][0, place, 0] = bad
        with pytest.raises(DetectorOutputError, match="tiny"):
            detector(*broken).detect([RED])


def test_a_box_that_overflows_never_passes() -> None:
    class Overflowing(PlainDecoder):
        def boxes(self, outputs: Outputs, canvas: Canvas, picture: int, places: IntArray) -> FloatArray:
            return np.exp(outputs[1][picture, places])

    sound = detector([[[0.9]]], [[[200, 200, 200, 200]]])
    broken = NetworkDetector("tiny", sound.network, Overflowing(), sound.label_codes, 0.3, 0.5)
    with pytest.raises(DetectorOutputError):
        broken.detect([RED])


def test_a_class_that_the_network_does_not_have_is_named() -> None:
    with pytest.raises(DetectorOutputError, match=r"1 classes.*model\.classes"):
        detector([[[0.9]]], [[[1, 1, 5, 5]]], codes=(-1, 0)).detect([RED])
