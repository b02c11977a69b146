from __future__ import annotations

import numpy as np
import pytest

from anonflow.config import AugmentConfig
from anonflow.detect.augment import Flipped, Resized, views
from tests.detect.blobs import BlobDetector, corners, found, scene

BLOBS = [(10, 10, 40, 20), (101, 31, 8, 16)]


def test_a_mirrored_look_answers_for_the_picture() -> None:
    picture = scene(201, 99, BLOBS)
    kept = picture.copy()
    assert found(Flipped(BlobDetector()).detect([picture])[0]) == corners(BLOBS)
    assert np.array_equal(picture, kept)


@pytest.mark.parametrize("scale", [0.5, 1.5, 2.0])
def test_a_look_at_another_size_answers_for_the_picture(scale: float) -> None:
    inner = BlobDetector()
    boxes = Resized(inner, scale).detect([scene(200, 100, BLOBS)])[0]
    assert inner.sizes == [(round(200 * scale), round(100 * scale))]
    np.testing.assert_allclose(sorted(boxes.xyxy.tolist()), corners(BLOBS), atol=1.2 / min(scale, 1))
    assert (boxes.xyxy <= (200, 100, 200, 100)).all()


def test_a_longest_side_shrinks_and_never_enlarges() -> None:
    inner = BlobDetector()
    small = Resized(inner, max_long_side_px=100)
    for size in ((200, 100), (80, 40), (100, 200)):
        small.detect([scene(*size, [])])
    assert inner.sizes == [(100, 50), (80, 40), (50, 100)]
    assert small.detect([]) == []


@pytest.mark.parametrize(("flip", "scales", "n"), [(False, (), 1), (True, (), 2), (True, (0.5, 2.0), 6)])
def test_the_views_are_all_sizes_and_all_of_them_mirrored(flip: bool, scales: tuple[float, ...], n: int) -> None:
    inner = BlobDetector()
    seen = views(inner, AugmentConfig(flip, scales))
    assert len(seen) == n and seen[0] is inner
    for view in seen:
        assert len(view.detect([scene(200, 100, BLOBS)])[0]) == 2 and view.provider == "cpu"
    assert len(set(inner.sizes)) == 1 + len(scales)
