"""Non-maximum suppression: of boxes that overlap, the one with the highest score stays."""

from __future__ import annotations

import cv2
import numpy as np

from anonflow.types import Boxes


def suppress(boxes: Boxes, max_iou: float) -> Boxes:
    """Rows of `boxes` that overlap no better row of their class by more than `max_iou`; highest score first.

    Deterministic: equal scores keep their order. Boxes must be finite and not negative.
    """
    if len(boxes) == 0:
        return boxes
    corners = boxes.xyxy.astype(np.float64)
    xywh = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    all_scores = float(np.min(boxes.scores)) - 1.0
    kept = cv2.dnn.NMSBoxesBatched(
        xywh.tolist(), boxes.scores.tolist(), boxes.classes.tolist(), all_scores, max_iou
    )
    return boxes[np.asarray(kept, np.int64).ravel()]
