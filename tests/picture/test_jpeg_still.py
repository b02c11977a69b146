from __future__ import annotations

import numpy as np
import pytest

from anonflow.errors import DamagedPictureError
from anonflow.picture import exif
from anonflow.picture.jpeg_still import JpegStill
from tests.pictures import BOX, camera, encoded, everything, nothing, profile, scene, shown, solid

MANY = 10**6
PLAIN = encoded(scene(), "JPEG", exif=camera(6), icc_profile=profile(), comment=b"SECRET", dpi=(300, 300))


def test_info_tells_all_that_must_stay() -> None:
    info = JpegStill.open(PLAIN, MANY).info
    assert (info.format, info.orientation, info.shown_size) == ("JPEG", 6, (63, 101))
    assert info.mode == "YCbCr 2x2 1x1 1x1 8 bit" and info.coding.startswith("sequential")
    assert info.colour_profile == profile()
    assert (
        info.metadata[0] == "comment" and "exif.Make" in info.metadata and "exif.Orientation" not in info.metadata
    )


def test_coding_tells_qualities_apart() -> None:
    codings = {JpegStill.open(encoded(scene(), "JPEG", quality=q), MANY).info.coding for q in (70, 80, 80, 90)}
    assert len(codings) == 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_looks_as_before(orientation: int) -> None:
    data = encoded(scene(), "JPEG", exif=camera(orientation))
    still = JpegStill.open(data, MANY)
    hiding = solid(still.info.grid, BOX)
    out = still.masked(hiding, nothing)
    assert JpegStill.open(out, MANY).info.orientation == orientation
    dark = still.info.turn.upright(np.repeat(hiding.hidden[..., None], 3, axis=2).astype(np.uint8)).astype(bool)
    assert shown(out).shape == dark.shape
    assert shown(out)[dark].mean() < 20
    far = ~still.info.turn.upright(_grown(hiding.hidden)).astype(bool)
    np.testing.assert_array_equal(shown(out)[far], shown(data)[far])


def _grown(hidden: np.ndarray) -> np.ndarray:
    """With the blocks around, whose colours viewers blend."""
    import cv2

    grown = cv2.dilate(hidden.astype(np.uint8), np.ones((35, 35), np.uint8))
    return np.repeat(grown[..., None], 3, axis=2)


def test_the_policy_keeps_tags_and_comments() -> None:
    still = JpegStill.open(PLAIN, MANY)
    out = JpegStill.open(still.masked(solid(still.info.grid, BOX), everything), MANY)
    assert out.jpeg.comments == (b"SECRET",)
    assert set(still.info.metadata) - set(out.info.metadata) == {"makernote"}
    only = JpegStill.open(still.masked(solid(still.info.grid, None), "exif.DateTimeOriginal".__eq__), MANY)
    assert only.info.metadata == ("exif.DateTimeOriginal",)


def test_a_small_look_is_cheap_and_large_enough() -> None:
    still = JpegStill.open(encoded(scene(1600, 1000), "JPEG"), 10**7)
    assert still.bgr(1000).shape[:2] == (1000, 1600)
    assert still.bgr(400).shape[:2] == (250, 400)
    assert still.bgr(401).shape[:2] == (500, 800)


def damaged_tables() -> bytes:
    data = bytearray(PLAIN)
    start = data.find(b"\xff\xc4") + 5
    data[start : start + 16] = bytes([255] * 16)
    return bytes(data)


def test_damaged_tables_end_the_picture_and_not_the_process() -> None:
    for use in (lambda s: s.masked(solid(s.info.grid, BOX), nothing), JpegStill.samples, lambda s: s.bgr(9)):
        with pytest.raises(DamagedPictureError):
            use(JpegStill.open(damaged_tables(), MANY))


def test_a_profile_and_orientation_survive_together() -> None:
    out = JpegStill.open(PLAIN, MANY).masked(solid(JpegStill.open(PLAIN, MANY).info.grid, BOX), nothing)
    info = JpegStill.open(out, MANY).info
    assert (info.colour_profile, info.orientation, info.metadata) == (profile(), 6, ())
    assert exif.names(exif.tags(JpegStill.open(out, MANY).jpeg.exif)) == ()
