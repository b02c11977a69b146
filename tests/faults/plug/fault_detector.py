"""A detector that finds the test clips' walking square, and misbehaves at files whose names say so."""

import re
import time
from typing import Any

import fault_plug
import numpy as np

from anonflow.types import Boxes

_BRIGHT_GREEN = 225
"""Of the square alone: the picture around it stays darker in that channel."""


def build(*_: object) -> "SquareDetector":
    """As `build_detector`."""
    return SquareDetector()


def no_weights(*_: object) -> bytes:
    """As `ModelStore.load`."""
    return b""


class SquareDetector:
    """Sees what is green and bright."""

    provider = "cpu"

    def detect(self, pictures: Any) -> list[Boxes]:
        """The square of each picture, or what the name of the file that is worked on asks for."""
        found = [_square(picture) for picture in pictures]
        wanted = re.search(r"detector_([a-z_]+?)(_\d+)?\.", fault_plug.subject)
        return _MISDEEDS[wanted[1]](found, pictures) if wanted else found


def _square(picture: Any) -> Boxes:
    rows, columns = np.nonzero(picture[:, :, 1] > _BRIGHT_GREEN)
    if not len(rows):
        return Boxes.empty()
    xyxy = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
    return Boxes(xyxy, np.full(1, 0.9, np.float32), np.zeros(1, np.int16))


def _changed(found: list[Boxes], xyxy: Any = None, scores: Any = None, classes: Any = None) -> list[Boxes]:
    """Every picture has one box, with these values."""
    return [
        Boxes(
            np.array([[8, 8, 30, 30]] if xyxy is None else xyxy, np.float32),
            np.array([0.9] if scores is None else scores, np.float32),
            np.array([0] if classes is None else classes, np.int16),
        )
        for _ in found
    ]


def _raises(_: list[Boxes], __: Any) -> list[Boxes]:
    raise ValueError("the detector does not like this picture")


def _hangs(_: list[Boxes], __: Any) -> list[Boxes]:
    time.sleep(3600)
    return []


def _runs_out_of_memory(_: list[Boxes], __: Any) -> list[Boxes]:
    raise MemoryError


_MISDEEDS = {
    "raises": _raises,
    "hangs": _hangs,
    "memory": _runs_out_of_memory,
    "nan_box": lambda found, _: _changed(found, xyxy=[[8, np.nan, 30, 30]]),
    "inf_box": lambda found, _: _changed(found, xyxy=[[8, 8, np.inf, 30]]),
    "nan_score": lambda found, _: _changed(found, scores=[np.nan]),
    "inf_score": lambda found, _: _changed(found, scores=[np.inf]),
    "outside": lambda found, _: _changed(found, xyxy=[[5000, 5000, 5100, 5100]]),
    "inside_out": lambda found, _: _changed(found, xyxy=[[30, 30, 8, 8]]),
    "shape": lambda found, _: _changed(found, xyxy=[[8, 8, 30]]),
    "lengths": lambda found, _: _changed(found, scores=[0.9, 0.8]),
    "label": lambda found, _: _changed(found, classes=[77]),
    "few": lambda found, _: found[:-1],
    "many": lambda found, _: [*found, Boxes.empty()],
    "none": lambda _, __: None,
}
