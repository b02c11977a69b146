"""YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023): anchor free, a place per grid cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from anonflow.detect.base import Canvas
from anonflow.detect.grid import decode_cells
from anonflow.detect.network import InputLayout, Outputs
from anonflow.types import FloatArray, IntArray

STRIDES_PX = (8, 16, 32)


@dataclass(frozen=True)
class YuNet:
    """Reads `cls_S`, `obj_S` (b, n, 1) and `bbox_S` (b, n, 4) of the strides S; places go level by level.

    A box is its centre's offset in cells from the cell's corner, and the logarithm of its size in cells.
    """

    input: InputLayout

    @property
    def output_names(self) -> tuple[str, ...]:
        """As `Decoder.output_names`."""
        return tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox") for stride in STRIDES_PX)

    def scores(self, outputs: Outputs, canvas: Canvas) -> FloatArray:
        """As `Decoder.scores`: the geometric mean of class score and objectness."""
        classes, objectness = (np.concatenate(outputs[start : start + 3], axis=1) for start in (0, 3))
        return np.asarray(np.sqrt(np.clip(classes, 0, 1) * np.clip(objectness, 0, 1)))

    def boxes(self, outputs: Outputs, canvas: Canvas, picture: int, places: IntArray) -> FloatArray:
        """As `Decoder.boxes`."""
        raw = np.concatenate(outputs[6:], axis=1)[picture, places]
        return decode_cells(raw, canvas.size, STRIDES_PX, places)
