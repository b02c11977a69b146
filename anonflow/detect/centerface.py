"""CenterFace (Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019): anchor free,
one heatmap of face centres at a quarter of the input's resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from anonflow.detect.base import Canvas
from anonflow.detect.network import InputLayout, Outputs
from anonflow.types import FloatArray, IntArray

STRIDE_PX = 4


@dataclass(frozen=True)
class CenterFace:
    """Reads heatmap (b, 1, h/4, w/4), log size (b, 2, h/4, w/4; height first), offset (same; y first)."""

    input: InputLayout
    output_names: tuple[str, ...]
    """Names of heatmap, log size and offset."""

    def scores(self, outputs: Outputs, canvas: Canvas) -> FloatArray:
        """As `Decoder.scores`: one class, a place per heatmap cell, row by row."""
        heatmap = outputs[0]
        return heatmap.reshape(len(heatmap), -1, 1)

    def boxes(self, outputs: Outputs, canvas: Canvas, picture: int, places: IntArray) -> FloatArray:
        """As `Decoder.boxes`."""
        _, log_size, offset = (output[picture].reshape(output.shape[1], -1) for output in outputs)
        rows, columns = np.divmod(places, canvas.size[0] // STRIDE_PX)
        cells = np.stack([columns, rows], axis=1)
        centres = (cells + offset[::-1, places].T + 0.5) * STRIDE_PX
        half = np.exp(log_size[::-1, places].T) * STRIDE_PX / 2
        return np.hstack([centres - half, centres + half]).astype(np.float32)


def free_input_size(weights: bytes) -> bytes:
    """The network with any batch and size as input.

    The published file declares a batch of 10 pictures of 32 x 32; its layers work at any multiple of 32.
    """
    model = onnx.load_from_string(weights)
    for tensor in [*model.graph.input, *model.graph.output]:
        for axis, dim in enumerate(tensor.type.tensor_type.shape.dim):
            if axis != 1:
                dim.dim_param = f"{tensor.name}_{axis}"
    return bytes(model.SerializeToString())
