from __future__ import annotations

import numpy as np

from anonflow.track.appearance import NOBODY, distances, references
from anonflow.types import FloatArray
from tests.streams import detections, seen

ROWS = [(f, 50.0 * i, 0, 50.0 * i + 40, 40, 0.9, 0) for f in range(3) for i in range(3)]
STREAM = seen(detections([(float(f), *rest) for f, *rest in ROWS]))
AXES = np.eye(3, dtype=np.float32)


def looks(frame: int) -> FloatArray:
    """Three objects that change places from frame to frame, each with an axis of its own."""
    return np.roll(AXES, frame, axis=0)


def here(frame: int) -> object:
    return STREAM.between(frame, frame + 1)


def test_a_detection_is_like_itself_in_another_place() -> None:
    first, then = STREAM.between(0, 1), STREAM.between(1, 2)
    gallery = references(first, 0)[:, None]
    np.testing.assert_allclose(distances(gallery, then, 1, looks), 1 - np.roll(np.eye(3), 1, axis=1))


def test_the_nearest_in_the_gallery_counts() -> None:
    first, then, last = (STREAM.between(f, f + 1) for f in range(3))
    gallery = np.stack((references(first, 0)[:1], references(then, 1)[:1]), axis=1)
    assert (distances(gallery, last, 2, looks) < 0.5).sum() == 2


def test_an_empty_gallery_is_like_nobody() -> None:
    assert (distances(np.full((2, 4), NOBODY), STREAM.between(0, 1), 0, looks) == 2.0).all()


def test_references_tell_frames_places_and_boxes_apart() -> None:
    keys = np.concatenate([references(STREAM.between(f, f + 1), f) for f in range(3)])
    assert len(set(keys.tolist())) == 9 and (keys >= 0).all()
    moved = seen(detections([(0, 1.0, 0, 41, 40, 0.9, 0)]))
    assert references(moved, 0)[0] != references(STREAM.between(0, 1), 0)[0]


def test_what_a_disagreeing_detector_saw_is_like_nobody() -> None:
    many = seen(detections([(0, 50.0 * i, 0, 50.0 * i + 40, 40, 0.9, 0) for i in range(5)]))
    gallery = references(many, 0)[4:, None]
    assert (distances(gallery, STREAM.between(1, 2), 1, looks) == 2.0).all()
