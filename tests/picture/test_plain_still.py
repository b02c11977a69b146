from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from anonflow.errors import UnsupportedFormatError
from anonflow.picture.plain_still import BMP, TIFF, PlainStill
from tests.pictures import BOX, camera, encoded, everything, nothing, profile, scene, shown, solid

MANY = 10**6


def opened(data: bytes, kind: str = TIFF) -> PlainStill:
    return PlainStill.open(data, kind, MANY)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_comes_out_upright(orientation: int) -> None:
    data = encoded(scene(), "TIFF", exif=camera(orientation))
    still = opened(data)
    hiding = solid(still.info.grid, BOX if orientation < 5 else (10, 18, 40, 61))
    out = still.masked(hiding, nothing)
    assert Image.open(io.BytesIO(out)).tag_v2.get(274, 1) == 1
    expected = shown(data)
    expected[hiding.hidden] = 0
    np.testing.assert_array_equal(shown(out), expected)


def test_metadata_of_a_tiff_goes_by_name() -> None:
    exif = camera(1, inner=False)
    exif[700], exif[33723], exif[34377] = b"<SECRETXMP/>", b"SECRETIPTC", b"SECRETPS"
    still = opened(encoded(scene(), "TIFF", exif=exif, icc_profile=profile(), dpi=(300, 200)))
    assert {"xmp", "iptc", "photoshop", "exif.Make"} <= set(still.info.metadata)
    out = still.masked(solid(still.info.grid, None), nothing)
    assert b"SECRET" not in out
    result = opened(out).info
    assert (result.metadata, result.colour_profile, result.resolution) == ((), profile(), still.info.resolution)
    kept = opened(still.masked(solid(still.info.grid, None), everything)).info.metadata
    assert kept == ("exif.DateTime", "exif.Make")


def test_pages_are_refused_and_thumbnails_left_out() -> None:
    pages = encoded(scene(), "TIFF", save_all=True, append_images=[scene().rotate(180)])
    with pytest.raises(UnsupportedFormatError, match="several pages"):
        opened(pages)
    small = scene().resize((20, 12))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    reduced = encoded(scene(), "TIFF", save_all=True, append_images=[small])
    if Image.open(io.BytesIO(reduced)).n_frames == 2 and _subfile(reduced) & 1:
        out = opened(reduced).masked(solid(opened(reduced).info.grid, None), nothing)
        assert "thumbnail" in opened(reduced).info.metadata
        assert getattr(Image.open(io.BytesIO(out)), "n_frames", 1) == 1


def _subfile(data: bytes) -> int:
    image = Image.open(io.BytesIO(data))
    image.seek(1)
    return int(image.tag_v2.get(254, 0))


@pytest.mark.parametrize("mode", ["F", "I", "LAB", "YCbCr"])
def test_samples_that_cannot_be_kept_are_refused(mode: str) -> None:
    image = Image.new("LAB", (8, 8)) if mode == "LAB" else scene().convert("L").convert(mode)
    if mode == "YCbCr":
        image = scene().convert(mode)
    with pytest.raises(UnsupportedFormatError):
        opened(encoded(image, "TIFF"))


def test_deep_colour_is_refused_because_pillow_would_flatten_it() -> None:
    with pytest.raises(UnsupportedFormatError, match=r"bits \(16, 16, 16\)"):
        opened(cv2.imencode(".tif", np.zeros((8, 8, 3), np.uint16))[1].tobytes())


def test_ink_is_black_where_it_is_hidden() -> None:
    still = opened(encoded(scene().convert("CMYK"), "TIFF"))
    hiding = solid(still.info.grid, BOX)
    out = opened(still.masked(hiding, nothing)).samples()[0]
    assert (out[hiding.hidden] == 255).all()
    np.testing.assert_array_equal(out[~hiding.hidden], still.samples()[0][~hiding.hidden])


def test_a_lossy_tiff_is_stored_without_loss() -> None:
    still = opened(encoded(scene(), "TIFF", compression="jpeg"))
    assert still.info.coding == "lossy"
    assert opened(still.masked(solid(still.info.grid, BOX), nothing)).info.coding == "lossless"


def test_a_bmp_that_would_change_is_refused() -> None:
    data = bytearray(encoded(scene(), "BMP"))
    data[28:30] = (16).to_bytes(2, "little")
    with pytest.raises(UnsupportedFormatError, match="16 bits"):
        opened(bytes(data), BMP)


@pytest.mark.parametrize("compression", ["tiff_deflate", "zstd", "lzma", "packbits"])
def test_a_lossless_compression_stays(compression: str) -> None:
    still = opened(encoded(scene(), "TIFF", compression=compression))
    out = opened(still.masked(solid(still.info.grid, BOX), nothing))
    assert still.info.coding == out.info.coding == "lossless"
    assert out.image.info["compression"] == still.image.info["compression"]
