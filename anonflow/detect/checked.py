"""What a detector gives is believed only as far as it keeps its contract: what is no box hides nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from anonflow.errors import DetectorOutputError
from anonflow.types import Boxes, Picture

_ROUNDING_PX = 1.0
_ROUNDING = 1e-3


def require_boxes(found: Any, pictures: Sequence[Picture], n_labels: int) -> list[Boxes]:
    """`found`, if it is what `Detector.detect` promises for `pictures` (n, h, w, 3): as many boxes as pictures.

    Raises:
        DetectorOutputError: a picture has no answer, or a box is not finite, not in its picture, without area, or
            of no label of the run's `n_labels`; or a score is no number of 0..1.
    """
    if not isinstance(found, list) or len(found) != len(pictures):
        answers = len(found) if isinstance(found, list) else "no list of"
        raise _error(f"{answers} results for {len(pictures)} pictures")
    for boxes, picture in zip(found, pictures, strict=True):
        if wrong := _wrong(boxes, picture, n_labels):
            raise _error(wrong)
    return found


def _wrong(boxes: Any, picture: Picture, n_labels: int) -> str:
    """What is wrong with the boxes of a picture; empty if nothing is. No values: a box says where somebody is."""
    if not isinstance(boxes, Boxes):
        return "results that are no boxes"
    n = boxes.xyxy.shape[0] if boxes.xyxy.ndim else 0
    if boxes.xyxy.shape != (n, 4) or boxes.scores.shape != (n,) or boxes.classes.shape != (n,):
        return "boxes, scores and labels that do not fit each other"
    x1, y1, x2, y2 = boxes.xyxy.T
    height, width = picture.shape[:2]
    low, right, bottom = -_ROUNDING_PX, width + _ROUNDING_PX, height + _ROUNDING_PX
    are_sound = {
        "values that are no numbers": np.isfinite(boxes.xyxy).all(axis=1) & np.isfinite(boxes.scores),
        "scores that are not between 0 and 1": (boxes.scores >= -_ROUNDING) & (boxes.scores <= 1 + _ROUNDING),
        "labels that this run does not have": (boxes.classes >= 0) & (boxes.classes < n_labels),
        "boxes without area": (x2 > x1) & (y2 > y1),
        "boxes that are not within the picture": (x1 >= low) & (y1 >= low) & (x2 <= right) & (y2 <= bottom),
    }
    return next((wrong for wrong, sound in are_sound.items() if not sound.all()), "")


def _error(wrong: str) -> DetectorOutputError:
    return DetectorOutputError(
        f"The detector returned {wrong}, so nothing of it can be relied on. Check the model and its decoder, "
        "or use another model."
    )
