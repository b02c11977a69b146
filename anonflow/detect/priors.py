"""Networks that correct prior boxes: SSD (Liu et al., 2016), RetinaFace (Deng et al., 2019), their small relatives.

A place is one prior: levels from fine to coarse, rows, columns, then the sizes of the level.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from anonflow.detect.base import Canvas
from anonflow.detect.network import InputLayout, Outputs
from anonflow.types import FloatArray, IntArray


@dataclass(frozen=True)
class Priors:
    """Reads `conf` (b, n, 1 + classes; background first, softmaxed), `loc` (b, n, 4 or more) and, where there is a
    third output, `iou` (b, n, 1), the network's own guess how well its box fits.

    `sizes_px` are the square priors of each stride;
    `variances` scale centre and size corrections. Without `strides_px` the boxes are decoded already: corners as
    shares of the input.
    """

    input: InputLayout
    output_names: tuple[str, ...]
    """Names of conf, loc and, optionally, iou."""
    strides_px: tuple[int, ...] = ()
    sizes_px: tuple[tuple[int, ...], ...] = ()
    variances: tuple[float, float] = (0.1, 0.2)

    def scores(self, outputs: Outputs, canvas: Canvas) -> FloatArray:
        """As `Decoder.scores`; with an iou output the geometric mean of it and the class score."""
        conf, _, *iou = outputs
        scores: FloatArray = conf[:, :, 1:]
        if not iou:
            return scores
        return np.asarray(np.sqrt(scores * np.clip(iou[0], 0, 1)))

    def boxes(self, outputs: Outputs, canvas: Canvas, picture: int, places: IntArray) -> FloatArray:
        """As `Decoder.boxes`."""
        loc = outputs[1][picture, places]
        if not self.strides_px:
            return np.asarray(loc[:, :4] * np.tile(canvas.size, 2), np.float32)
        priors = prior_boxes(canvas.size, self.strides_px, self.sizes_px)[places]
        centres = priors[:, :2] + loc[:, :2] * self.variances[0] * priors[:, 2:]
        half = priors[:, 2:] * np.exp(loc[:, 2:4] * self.variances[1]) / 2
        return np.hstack([centres - half, centres + half]).astype(np.float32)


@lru_cache(maxsize=32)
def prior_boxes(
    size: tuple[int, int], strides_px: tuple[int, ...], sizes_px: tuple[tuple[int, ...], ...]
) -> FloatArray:
    """Centre x, centre y, width, height (n, 4) in px of all priors of an input of `size` (width, height)."""
    levels = zip(strides_px, sizes_px, strict=True)
    return np.concatenate([_level(size, stride, sides) for stride, sides in levels])


def _level(size: tuple[int, int], stride_px: int, sides_px: tuple[int, ...]) -> FloatArray:
    rows, columns, sides = np.meshgrid(
        np.arange(size[1] // stride_px), np.arange(size[0] // stride_px), np.asarray(sides_px), indexing="ij"
    )
    level = [(columns + 0.5) * stride_px, (rows + 0.5) * stride_px, sides, sides]
    return np.stack(level, axis=-1).reshape(-1, 4).astype(np.float32)
