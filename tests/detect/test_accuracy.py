"""Average precision of the real models on real pictures: a decoder that is a little wrong fails here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from anonflow.detect.families import build_detector
from anonflow.types import FloatArray
from tests.detect.conftest import Labelled, detector_config, look, model_config, pairwise_iou, shared_set

pytestmark = pytest.mark.slow

MATCH_IOU = 0.5


def average_precision(pictures: list[Labelled], results: list[tuple[FloatArray, FloatArray]]) -> float:
    """Area under the precision envelope at IoU 0.5; boxes on ignored objects count neither way."""
    outcomes: list[tuple[float, bool]] = []
    for labelled, (xyxy, scores) in zip(pictures, results, strict=True):
        taken: set[int] = set()
        truth = np.concatenate([labelled.boxes, labelled.ignored])
        for box, score in zip(xyxy, scores, strict=True):
            overlaps = pairwise_iou(box[None], truth)[0]
            best = int(np.argmax(overlaps)) if len(overlaps) else -1
            matched = best >= 0 and overlaps[best] >= MATCH_IOU
            if matched and best >= len(labelled.boxes):
                continue
            outcomes.append((float(score), matched and best not in taken))
            if matched:
                taken.add(best)
    outcomes.sort(key=lambda outcome: -outcome[0])
    true_positives = np.cumsum([hit for _, hit in outcomes])
    precision = true_positives / np.arange(1, len(outcomes) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    recalled = true_positives / sum(len(labelled.boxes) for labelled in pictures)
    return float(np.sum(np.diff(recalled, prepend=0) * envelope))


@pytest.mark.parametrize(
    ("name", "long_side_px", "data", "kinds", "at_least"),
    [
        ("centerface", 640, "faces-wider", ("easy",), 0.82),
        ("yunet_n", 640, "faces-wider", ("easy",), 0.79),
        ("retinaface_mnet025", 640, "faces-wider", ("easy",), 0.78),
        ("ulfg", 640, "faces-wider", ("easy",), 0.75),
        ("clp_det", 960, "plates-us", None, 0.94),
        ("clp_det", 960, "plates-eu", None, 0.96),
        ("hyperlpr_y5fu", 320, "plates-us", None, 0.91),
        ("hyperlpr_y5fu", 320, "plates-eu", None, 0.97),
        ("lpd_yunet", 320, "plates-us", None, 0.80),
        ("lpd_yunet", 320, "plates-eu", None, 0.96),
    ],
)
def test_average_precision(
    name: str,
    long_side_px: int,
    data: str,
    kinds: tuple[str, ...] | None,
    at_least: float,
    weights: Callable[[str], bytes],
) -> None:
    pictures = shared_set(data, 0, kinds)
    config = detector_config(name, floor=0.1)
    detector = build_detector(config, weights(name), tuple(set(model_config(name).classes.values())), "cpu")
    found = [look(detector, labelled.picture, long_side_px, max_upscale=1.0) for labelled in pictures]
    assert average_precision(pictures, [(boxes.xyxy, boxes.scores) for boxes in found]) >= at_least
