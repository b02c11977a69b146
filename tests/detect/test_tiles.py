from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonflow.config import TilesConfig
from anonflow.detect.tiles import Tiled, tile_corners
from tests.detect.blobs import BlobDetector, corners, found, scene


def tiled(inner: Any, size_px: int = 64, overlap_share: float = 0.25, whole: bool = True) -> Tiled:
    return Tiled(inner, TilesConfig(True, size_px, overlap_share, whole), nms_iou=0.5)


@given(st.integers(1, 900), st.integers(1, 900), st.integers(32, 300), st.sampled_from([0.0, 0.25, 0.5]))
def test_tiles_cover_the_picture_and_overlap(width: int, height: int, side: int, overlap: float) -> None:
    tiles = tile_corners(width, height, TilesConfig(True, side, overlap))
    for axis, length in ((0, width), (1, height)):
        starts = np.unique(tiles[:, axis])
        assert starts[0] == 0 and (starts[-1] + side >= length)
        assert (np.diff(starts) <= side * (1 - overlap) + 1).all()
        assert length <= side or starts[-1] + side == length
    assert len(tiles) == len(np.unique(tiles[:, 0])) * len(np.unique(tiles[:, 1]))


PLACE = st.tuples(st.integers(0, 9), st.integers(0, 5))


@given(st.lists(PLACE, min_size=1, max_size=8, unique=True), st.integers(4, 16), st.integers(4, 16))
def test_small_objects_come_out_as_without_tiles(places: Any, w: int, h: int) -> None:
    """None is larger than the overlap, so each is whole in one tile; what other tiles cut off of it is joined."""
    blobs = [(2 + 19 * column, 3 + 19 * row, w, h) for column, row in places]
    boxes = tiled(BlobDetector(), whole=False).detect([scene(200, 120, blobs)])[0]
    assert found(boxes) == corners(blobs)
    assert (np.diff(boxes.scores) <= 0).all()


def test_an_object_over_many_tiles_is_one_box() -> None:
    blob = [(20, 5, 150, 100)]
    assert found(tiled(BlobDetector(), whole=False).detect([scene(200, 120, blob)])[0]) == corners(blob)
    ((x1, y1, x2, y2),) = found(tiled(BlobDetector()).detect([scene(200, 120, blob)])[0])
    assert 16 <= x1 <= 20 and 1 <= y1 <= 5 and 170 <= x2 <= 174 and 105 <= y2 <= 109


def test_the_whole_finds_what_tiles_are_too_small_for() -> None:
    """A detector that finds nothing at a tile's side: an object that fills the tile is lost without the whole."""

    class NotFull(BlobDetector):
        def _find(self, grey: Any) -> Any:
            boxes = super()._find(grey)
            height, width = grey.shape
            inside = (boxes.xyxy[:, :2] > 0).all(axis=1) & (boxes.xyxy[:, 2:] < (width, height)).all(axis=1)
            return boxes[inside]

    picture = scene(200, 120, [(20, 5, 150, 100)])
    assert len(tiled(NotFull(), whole=False).detect([picture])[0]) == 0
    np.testing.assert_allclose(tiled(NotFull()).detect([picture])[0].xyxy, [[20, 5, 170, 105]], atol=4)


def test_all_tiles_are_of_one_size_and_the_whole_is_shrunk() -> None:
    inner = BlobDetector()
    tiled(inner).detect([scene(200, 120, [])] * 2)
    assert set(inner.sizes) == {(64, 64), (64, 38)} and inner.sizes.count((64, 38)) == 2
    assert inner.sizes.count((64, 64)) == 2 * len(tile_corners(200, 120, TilesConfig(True, 64)))


def test_a_picture_that_is_no_larger_than_a_tile_is_seen_as_it_is() -> None:
    inner = BlobDetector()
    assert found(tiled(inner).detect([scene(64, 50, [(3, 4, 9, 9)])])[0]) == corners([(3, 4, 9, 9)])
    assert inner.sizes == [(64, 50)]
    assert tiled(inner).detect([]) == [] and tiled(inner).provider == "cpu"


def test_neighbours_are_not_joined_because_a_tile_cuts_one_of_them() -> None:
    """Two objects side by side at a seam, both cut by it, stay two."""
    blobs = [(40, 10, 20, 20), (62, 12, 20, 20)]
    assert found(tiled(BlobDetector(), whole=False).detect([scene(200, 120, blobs)])[0]) == corners(blobs)
