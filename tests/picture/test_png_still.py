from __future__ import annotations

import zlib

import cv2
import numpy as np
import pytest

from anonflow.errors import DamagedPictureError, UnsupportedFormatError
from anonflow.picture.contract import inspect
from anonflow.picture.png_file import START, Chunk
from anonflow.picture.png_still import PngStill
from anonflow.types import Verdict
from tests.pictures import BOX, HEIGHT, WIDTH, camera, encoded, everything, nothing, scene, solid, stored

MANY = 10**6
NOTHING = np.zeros((HEIGHT, WIDTH), np.bool_)


def test_sixteen_bits_keep_all_of_them() -> None:
    samples = np.asarray(scene()).astype(np.uint16) * 257 ^ 0x00A5
    still = PngStill.open(cv2.imencode(".png", samples)[1].tobytes(), MANY)
    hiding = solid(still.info.grid, BOX)
    out = cv2.imdecode(np.frombuffer(still.masked(hiding, nothing), np.uint8), cv2.IMREAD_UNCHANGED)
    assert out.dtype == np.uint16 and (out[hiding.hidden] == 0).all()
    np.testing.assert_array_equal(out[~hiding.hidden], samples[~hiding.hidden])
    assert still.info.mode == "RGB 16 bit"


def test_transparency_stays_but_under_masks() -> None:
    image = scene().convert("RGBA")
    image.putalpha(scene().convert("L"))
    still = PngStill.open(encoded(image, "PNG"), MANY)
    hiding = solid(still.info.grid, BOX)
    out = stored(still.masked(hiding, nothing), "RGBA")
    np.testing.assert_array_equal(out[~hiding.hidden], np.asarray(image)[~hiding.hidden])
    assert (out[hiding.hidden][:, 3] == 255).all()
    assert (out[hiding.hidden][:, :3] == 0).all()


def test_a_palette_is_filled_with_its_darkest_opaque_colour() -> None:
    image = scene().quantize(8)
    data = encoded(image, "PNG", transparency=bytes([0] * 4 + [255] * 4))
    still = PngStill.open(data, MANY)
    hiding = solid(still.info.grid, BOX)
    out = still.masked(hiding, nothing)
    colours = stored(out, "RGBA")[hiding.hidden]
    assert (colours == colours[0]).all() and colours[0, 3] == 255
    assert PngStill.open(out, MANY).png.first(b"PLTE") == still.png.first(b"PLTE")


def test_texts_are_kept_by_name() -> None:
    plain = encoded(scene(), "PNG", exif=camera(6))
    texts = [Chunk(b"tEXt", b"Author\0me"), Chunk(b"tEXt", b"Place\0here"), Chunk(b"tIME", b"1234567")]
    still = PngStill.open(plain[:33] + b"".join(text.to_bytes() for text in texts) + plain[33:], MANY)
    assert {"text.Author", "text.Place", "png.tIME", "exif.Make"} <= set(still.info.metadata)
    out = PngStill.open(still.masked(solid(still.info.grid, None), "text.Author".__eq__), MANY)
    assert out.info.metadata == ("text.Author",) and out.info.orientation == 6
    all_kept = PngStill.open(still.masked(solid(still.info.grid, None), everything), MANY)
    assert set(still.info.metadata) - set(all_kept.info.metadata) == {"png.tIME", "makernote"}


def test_what_opencv_would_change_is_refused() -> None:
    samples = np.zeros((4, 4, 2), np.uint16)
    from anonflow.picture.png_file import PngFile

    header = b"\0\0\0\x04\0\0\0\x04\x10\x04\0\0\0"
    png = PngFile((Chunk(b"IHDR", header), Chunk(b"IDAT", b"x"), Chunk(b"IEND", b"")), 0)
    with pytest.raises(UnsupportedFormatError, match="16 bits"):
        PngStill.open(png.with_samples(samples, b"", ()), MANY).samples()


def test_a_mask_is_opaque_where_black_counts_as_transparent() -> None:
    still = PngStill.open(encoded(scene(), "PNG", transparency=(0, 0, 0)), MANY)
    hiding = solid(still.info.grid, BOX)
    assert (stored(still.masked(hiding, nothing), "RGBA")[hiding.hidden][:, 3] == 255).all()


def test_deep_pictures_with_a_transparent_colour_are_refused() -> None:
    """Detectors would see eight bits of them, in which that colour is not to be told from others."""
    deep = cv2.imencode(".png", np.zeros((4, 4), np.uint16))[1].tobytes()
    with pytest.raises(UnsupportedFormatError, match="transparent colour"):
        PngStill.open(deep[:33] + Chunk(b"tRNS", b"\0\0").to_bytes() + deep[33:], MANY).samples()


@pytest.mark.parametrize("text", [b"Raw profile type xmp\0SECRET", b"Raw Profile Type APP1\0SECRET", b"SECRET"])
def test_blocks_in_texts_are_never_kept(text: bytes) -> None:
    plain = encoded(scene(), "PNG")
    data = plain[:33] + Chunk(b"tEXt", text).to_bytes() + plain[33:]
    still = PngStill.open(data, MANY)
    out = still.masked(solid(still.info.grid, None), everything)
    assert b"SECRET" not in out and not any("SECRET" in name for name in still.info.metadata)
    (check,) = [c for c in inspect(still, data, NOTHING, everything) if c.name == "metadata"]
    assert check.verdict is Verdict.BROKEN, "a file that has it is not published"


def test_large_texts_do_not_matter() -> None:
    plain = encoded(scene(), "PNG")
    text = Chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"x" * 2_000_000)).to_bytes()
    still = PngStill.open(plain[:33] + text + plain[33:], MANY)
    out = still.masked(solid(still.info.grid, None), nothing)
    np.testing.assert_array_equal(stored(out), stored(plain))
    assert still.looks(9)[0].shape == (HEIGHT, WIDTH, 3)


def test_a_palette_that_lacks_colours_is_damaged() -> None:
    png = PngStill.open(encoded(scene().quantize(8), "PNG"), MANY).png
    chunks = [Chunk(b"PLTE", c.data[:9]) if c.name == b"PLTE" else c for c in png.chunks]
    still = PngStill.open(START + b"".join(chunk.to_bytes() for chunk in chunks), MANY)
    with pytest.raises(DamagedPictureError, match="lacks colours"):
        still.masked(solid(still.info.grid, BOX), nothing)
