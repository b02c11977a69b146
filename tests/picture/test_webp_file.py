from __future__ import annotations

import pytest

from anonflow.errors import DamagedPictureError, UnsupportedFormatError
from anonflow.picture.webp_file import WebpFile
from tests.pictures import camera, encoded, profile, scene, stored

LOSSY = encoded(scene(), "WEBP", quality=80, exif=camera(6), icc_profile=profile(), xmp=b"<SECRET/>")


def test_parts() -> None:
    webp = WebpFile.parse(LOSSY)
    assert not webp.is_lossless and webp.first(b"ICCP") == profile() and webp.others == ("xmp",)
    assert WebpFile.parse(encoded(scene(), "WEBP", lossless=True)).is_lossless


def test_put_together_again_it_is_the_same_picture() -> None:
    webp = WebpFile.parse(LOSSY)
    out = webp.with_picture_of(webp, scene().size, b"")
    assert (stored(out) == stored(LOSSY)).all() and b"SECRET" not in out
    assert WebpFile.parse(out).first(b"ICCP") == profile()


def test_transparency_is_announced() -> None:
    image = scene().convert("RGBA")
    image.putalpha(scene().convert("L"))
    webp = WebpFile.parse(encoded(image, "WEBP", quality=80, exif=camera()))
    out = webp.with_picture_of(webp, image.size, b"")
    assert (stored(out, "RGBA") == stored(encoded(image, "WEBP", quality=80), "RGBA")).all()


def test_what_comes_after_the_end_is_seen() -> None:
    assert WebpFile.parse(LOSSY + b"more").others == ("appended data", "xmp")


def test_animation_is_refused() -> None:
    with pytest.raises(UnsupportedFormatError, match="Animated"):
        WebpFile.parse(encoded(scene(), "WEBP", save_all=True, append_images=[scene().rotate(90)]))


@pytest.mark.parametrize("length", [12, 30, len(LOSSY) - 1])
def test_truncated(length: int) -> None:
    with pytest.raises(DamagedPictureError):
        WebpFile.parse(LOSSY[:length])


def test_no_picture() -> None:
    with pytest.raises(DamagedPictureError, match="no picture"):
        WebpFile.parse(b"RIFF\x04\0\0\0WEBP")


@pytest.mark.parametrize("name", [b"VP8 ", b"ALPH"])
def test_a_second_picture_is_refused(name: bytes) -> None:
    image = scene().convert("RGBA")
    image.putalpha(scene().convert("L"))
    whole = encoded(image, "WEBP", quality=80)
    part = WebpFile.parse(whole).first(name)
    content = whole[8:] + name + len(part).to_bytes(4, "little") + part + b"\0" * (len(part) % 2)
    with pytest.raises(DamagedPictureError, match="several"):
        WebpFile.parse(b"RIFF" + len(content).to_bytes(4, "little") + content)
