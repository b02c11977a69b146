"""The YOLO layouts in use: v5 with landmarks, v8, and YOLOX (Ge et al., 2021) with its grid not yet applied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anonflow.detect.base import Canvas
from anonflow.detect.grid import decode_cells
from anonflow.detect.network import InputLayout, Outputs
from anonflow.types import FloatArray, IntArray

YOLOX_STRIDES_PX = (8, 16, 32)


@dataclass(frozen=True)
class YoloV5:
    """Reads one output (b, n, 5 + points + classes): centre, size, objectness, landmarks, class scores."""

    input: InputLayout
    landmark_values: int = 0
    output_names: tuple[str, ...] = ()

    def scores(self, outputs: Outputs, canvas: Canvas) -> FloatArray:
        """As `Decoder.scores`: objectness times class score."""
        rows = outputs[0]
        return rows[:, :, 4:5] * rows[:, :, 5 + self.landmark_values :]

    def boxes(self, outputs: Outputs, canvas: Canvas, picture: int, places: IntArray) -> FloatArray:
        """As `Decoder.boxes`."""
        return _from_centres(outputs[0][picture, places, :4])


@dataclass(frozen=True)
class YoloV8:
    """Reads one output (b, 4 + classes, n): centre, size, class scores."""

    input: InputLayout
    output_names: tuple[str, ...] = ()

    def scores(self, outputs: Outputs, canvas: Canvas) -> FloatArray:
        """As `Decoder.scores`."""
        return outputs[0][:, 4:].transpose(0, 2, 1)

    def boxes(self, outputs: Outputs, canvas: Canvas, picture: int, places: IntArray) -> FloatArray:
        """As `Decoder.boxes`."""
        return _from_centres(outputs[0][picture, :4, places].reshape(-1, 4))


@dataclass(frozen=True)
class YoloX:
    """Reads one output (b, n, 5 + classes): centre offset and log size in cells, objectness, class scores."""

    input: InputLayout
    output_names: tuple[str, ...] = ()

    def scores(self, outputs: Outputs, canvas: Canvas) -> FloatArray:
        """As `Decoder.scores`: objectness times class score."""
        rows = outputs[0]
        return rows[:, :, 4:5] * rows[:, :, 5:]

    def boxes(self, outputs: Outputs, canvas: Canvas, picture: int, places: IntArray) -> FloatArray:
        """As `Decoder.boxes`."""
        return decode_cells(outputs[0][picture, places, :4], canvas.size, YOLOX_STRIDES_PX, places)


def _from_centres(boxes: FloatArray) -> FloatArray:
    centres, half = boxes[:, :2], boxes[:, 2:] / 2
    return np.hstack([centres - half, centres + half])
