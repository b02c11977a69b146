from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from anonflow.picture.contract import inspect
from anonflow.picture.webp_file import WebpFile
from anonflow.picture.webp_still import MIN_PSNR_DB, WebpStill, psnr_db
from anonflow.types import Verdict
from tests.pictures import BOX, HEIGHT, WIDTH, camera, encoded, nothing, scene, solid, stored

MANY = 10**7


def noise() -> Image.Image:
    """Colours that no lossy WebP can hold twice."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 96, 3), dtype=np.uint8))


def test_lossy_without_a_mask_is_copied() -> None:
    data = encoded(scene(), "WEBP", quality=70, exif=camera(6))
    still = WebpStill.open(data, MANY)
    out = WebpStill.open(still.masked(solid(still.info.grid, None), nothing), MANY)
    assert out.webp.first(b"VP8 ") == still.webp.first(b"VP8 ")


def test_lossy_with_a_mask_stays_close() -> None:
    data = encoded(scene(400, 300), "WEBP", quality=70)
    still = WebpStill.open(data, MANY)
    hiding = solid(still.info.grid, (100, 100, 200, 180))
    out = still.masked(hiding, nothing)
    assert psnr_db(stored(data)[~hiding.hidden], stored(out)[~hiding.hidden]) >= MIN_PSNR_DB
    assert not WebpStill.open(out, MANY).webp.is_lossless
    assert stored(out)[hiding.hidden].mean() < 5


def test_what_would_change_too_much_is_stored_without_loss() -> None:
    data = encoded(noise(), "WEBP", quality=80)
    still = WebpStill.open(data, MANY)
    hiding = solid(still.info.grid, BOX)
    out = still.masked(hiding, nothing)
    assert WebpStill.open(out, MANY).webp.is_lossless
    np.testing.assert_array_equal(stored(out)[~hiding.hidden], stored(data)[~hiding.hidden])


def test_psnr() -> None:
    flat = np.zeros(100, np.uint8)
    assert psnr_db(flat, flat) == math.inf == psnr_db(flat[:0], flat[:0])
    assert psnr_db(flat, flat + 255) == 0


@pytest.mark.parametrize("options", [{"lossless": True, "exact": True}, {"quality": 80}])
def test_all_of_a_transparent_picture_can_be_hidden(options: dict[str, object]) -> None:
    image = scene().convert("RGBA")
    image.putalpha(scene().convert("L"))
    still = WebpStill.open(encoded(image, "WEBP", **options), MANY)
    hiding = solid(still.info.grid, (0, 0, *image.size))
    out = still.masked(hiding, nothing)
    assert (stored(out, "RGBA")[..., 3] == 255).all()
    assert [c.name for c in inspect(still, out, hiding.hidden, nothing) if c.verdict is Verdict.BROKEN] == []


def test_transparency_that_is_announced_and_not_there_stays_so() -> None:
    plain = encoded(scene(), "WEBP", quality=80)[12:]
    sides = (WIDTH - 1).to_bytes(3, "little") + (HEIGHT - 1).to_bytes(3, "little")
    content = b"WEBPVP8X" + (10).to_bytes(4, "little") + b"\x10\0\0\0" + sides + plain
    still = WebpStill.open(b"RIFF" + len(content).to_bytes(4, "little") + content, MANY)
    for box in (None, BOX):
        hiding = solid(still.info.grid, box)
        out = still.masked(hiding, nothing)
        assert [c.name for c in inspect(still, out, hiding.hidden, nothing) if c.verdict is Verdict.BROKEN] == []


@pytest.mark.parametrize("name", [b"VP8 ", b"ALPH"])
def test_bytes_after_the_picture_in_its_own_part_are_gone(name: bytes) -> None:
    image = scene().convert("RGBA")
    image.putalpha(scene().convert("L"))
    webp = WebpFile.parse(encoded(image, "WEBP", quality=80))
    more = webp.replaced(name, webp.first(name) + b"SECRET" * 10)
    data = more.with_picture_of(more, image.size, b"")
    still = WebpStill.open(data, MANY)
    hiding = solid(still.info.grid, None)
    out = still.masked(hiding, nothing)
    assert b"SECRET" not in out
    assert [c.name for c in inspect(still, out, hiding.hidden, nothing) if c.verdict is Verdict.BROKEN] == []
    np.testing.assert_array_equal(stored(out, "RGBA"), stored(data, "RGBA"))


@pytest.mark.parametrize("quality", [1, 30, 75, 100])
@pytest.mark.parametrize("side", [1, 16, 70, 300])
def test_usual_files_are_copied(quality: int, side: int) -> None:
    for image in (scene(side, side), Image.new("RGB", (side, side))):
        still = WebpStill.open(encoded(image, "WEBP", quality=quality), MANY)
        out = still.masked(solid(still.info.grid, None), nothing)
        assert WebpFile.parse(out).first(b"VP8 ") == still.webp.first(b"VP8 ")
