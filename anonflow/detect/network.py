"""A detector made of a network and the decoder of its family: preprocess, inference, postprocess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from anonflow.detect.base import Canvas
from anonflow.detect.nms import suppress
from anonflow.errors import DetectorOutputError
from anonflow.types import Boxes, FloatArray, IntArray, Picture

Outputs = Sequence[FloatArray]
"""What a network returned for a batch, in the order of the decoder's `output_names`."""


@dataclass(frozen=True)
class InputLayout:
    """How pixels become numbers: channels in `rgb` or bgr order, then `(value - mean) * scale`."""

    rgb: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Per channel, in the network's channel order."""
    scale: float = 1.0
    pad: int = 0
    """Pixel value around a picture that does not fill the canvas."""


class Decoder(Protocol):
    """Reads the outputs of one family of networks. It is pure."""

    @property
    def input(self) -> InputLayout:
        """What the network expects."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """The outputs that are needed, in the order in which they are used; empty: all."""

    def scores(self, outputs: Outputs, canvas: Canvas) -> FloatArray:
        """Scores (batch, places, classes) of every place at which the network looks, background left out."""

    def boxes(self, outputs: Outputs, canvas: Canvas, picture: int, places: IntArray) -> FloatArray:
        """Boxes (n, 4) xyxy in canvas pixels at some places of one picture of the batch."""


class Network(Protocol):
    """Runs batches of canvases."""

    @property
    def provider(self) -> str:
        """What it runs on: `cpu` or `cuda`."""

    @property
    def input_size(self) -> tuple[int, int] | None:
        """Fixed (width, height) of the input, or None when it is free."""

    def run(self, blob: FloatArray) -> list[FloatArray]:
        """Outputs for a batch (n, 3, h, w)."""


@dataclass(frozen=True, eq=False)
class NetworkDetector:
    """A `Detector`. `label_codes` (classes,): the label code of each of the model's classes, -1 if ignored."""

    model_id: str
    network: Network
    decoder: Decoder
    label_codes: NDArray[np.int16]
    floor: float
    nms_iou: float

    @property
    def provider(self) -> str:
        """What it runs on: `cpu` or `cuda`."""
        return self.network.provider

    def detect(self, pictures: Sequence[Picture]) -> list[Boxes]:
        """As `Detector.detect`."""
        if not pictures:
            return []
        height, width = pictures[0].shape[:2]
        canvas = Canvas.for_picture(width, height, self.network.input_size)
        outputs = self.network.run(preprocess(pictures, canvas, self.decoder.input))
        return self._postprocess(outputs, canvas)

    def _postprocess(self, outputs: Outputs, canvas: Canvas) -> list[Boxes]:
        self._require_finite(outputs)
        scores = self.decoder.scores(outputs, canvas)
        wanted = np.flatnonzero(self.label_codes >= 0)
        if np.max(wanted, initial=-1) >= scores.shape[2]:
            raise DetectorOutputError(
                f"Model {self.model_id} has {scores.shape[2]} classes, fewer than model.classes names: correct it."
            )
        return [self._select(outputs, canvas, n, of_one[:, wanted], wanted) for n, of_one in enumerate(scores)]

    def _select(
        self, outputs: Outputs, canvas: Canvas, picture: int, scores: FloatArray, wanted: IntArray
    ) -> Boxes:
        """Boxes of one picture; `scores` (places, wanted classes)."""
        places, columns = np.nonzero(scores >= self.floor)
        with np.errstate(over="ignore", invalid="ignore"):
            xyxy = self.decoder.boxes(outputs, canvas, picture, places)
        self._require_finite([xyxy])
        codes = self.label_codes[wanted[columns]]
        found = Boxes(canvas.to_picture(xyxy), scores[places, columns].astype(np.float32), codes)
        has_area = (found.xyxy[:, 2:] > found.xyxy[:, :2]).all(axis=1)
        return suppress(found[has_area], self.nms_iou)

    def _require_finite(self, arrays: Sequence[FloatArray]) -> None:
        if not all(np.isfinite(array).all() for array in arrays):
            raise DetectorOutputError(
                f"Model {self.model_id} returned values that are no numbers. The model file or the {self.provider} "
                "provider is faulty: try runtime.provider=cpu, or another model."
            )


def preprocess(pictures: Sequence[Picture], canvas: Canvas, layout: InputLayout) -> FloatArray:
    """The batch (n, 3, h, w) float32 that a network takes."""
    placed = [_place(picture, canvas, layout.pad) for picture in pictures]
    blob = cv2.dnn.blobFromImages(placed, layout.scale, canvas.size, layout.mean, swapRB=layout.rgb, crop=False)
    return np.asarray(blob, np.float32)


def _place(picture: Picture, canvas: Canvas, pad: int) -> Picture:
    if canvas.placed != canvas.picture:
        picture = cv2.resize(picture, canvas.placed, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    right, bottom = np.subtract(canvas.size, canvas.placed)
    if right or bottom:
        border = cv2.BORDER_CONSTANT
        return np.asarray(cv2.copyMakeBorder(picture, 0, int(bottom), 0, int(right), border, value=(pad,) * 3))
    return picture
