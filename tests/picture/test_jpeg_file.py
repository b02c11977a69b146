from __future__ import annotations

import pytest

from anonflow.errors import DamagedPictureError, UnsupportedFormatError
from anonflow.picture import exif
from anonflow.picture.jpeg_file import JpegFile
from tests.pictures import camera, encoded, profile, scene, shown

PLAIN = encoded(scene(), "JPEG", exif=camera(6), icc_profile=profile(), comment=b"SECRET", dpi=(300, 300))


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def with_segment(marker: int, payload: bytes) -> bytes:
    return PLAIN[:2] + segment(marker, payload) + PLAIN[2:]


def stripped(data: bytes) -> bytes:
    jpeg = JpegFile.parse(data)
    return jpeg.with_picture_of(jpeg, b"", ())


@pytest.mark.parametrize(
    ("marker", "payload", "name"),
    [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<SECRETXMP/>", "xmp"),
        (0xED, b"Photoshop 3.0\0SECRETIPTC", "iptc"),
        (0xE2, b"MPF\0SECRET", "mpf"),
        (0xE0, b"JFXX\0\x10SECRETTHUMB", "thumbnail"),
        (0xE7, b"SECRET", "app7"),
        (0xEE, b"no Adobe SECRET", "app14"),
        (0xFE, b"SECRET", "comment"),
        (0xF5, b"SECRET", "marker 0xf5"),
    ],
)
def test_every_segment_is_named_and_goes(marker: int, payload: bytes, name: str) -> None:
    data = with_segment(marker, payload)
    assert name in JpegFile.parse(data).others
    assert b"SECRET" not in stripped(data)
    assert JpegFile.parse(stripped(data)).others == ()
    assert (shown(stripped(data)) == shown(encoded(scene(), "JPEG"))).all()


def test_what_comes_after_the_picture_goes() -> None:
    """Phones put whole videos and other pictures there."""
    data = PLAIN + PLAIN
    assert "appended data" in JpegFile.parse(data).others
    assert len(stripped(data)) < len(PLAIN)


def test_a_thumbnail_in_the_first_header_goes() -> None:
    header = b"JFIF\0\x01\x02\x01\x01\x2c\x01\x2c\x02\x01SECRET"
    data = PLAIN[:2] + segment(0xE0, header) + PLAIN[20:]
    assert "thumbnail" in JpegFile.parse(data).others
    assert b"SECRET" not in stripped(data)
    assert JpegFile.parse(stripped(data)).density == JpegFile.parse(data).density == b"\x01\x01\x2c\x01\x2c"


def test_how_it_is_shown_stays() -> None:
    before, after = JpegFile.parse(PLAIN), JpegFile.parse(stripped(PLAIN))
    assert (after.frame, after.tables, after.density) == (before.frame, before.tables, before.density)
    assert after.colour_profile == before.colour_profile == profile()
    assert exif.orientation(exif.tags(before.exif)) == 6 and after.exif == b""


def test_a_profile_of_several_segments_is_one() -> None:
    whole = profile() * 40
    long = len(whole).to_bytes(4, "big") + whole[4:]
    data = encoded(scene(), "JPEG", icc_profile=long)
    assert JpegFile.parse(data).colour_profile == long == JpegFile.parse(stripped(data)).colour_profile


@pytest.mark.parametrize(("options", "model"), [({}, "YCbCr"), ({"keep_rgb": True}, "RGB")], ids=["YCbCr", "RGB"])
def test_colour_models(options: dict[str, bool], model: str) -> None:
    assert JpegFile.parse(encoded(scene(), "JPEG", **options)).colour_model == model
    assert JpegFile.parse(encoded(scene().convert("L"), "JPEG")).colour_model == "grey"
    assert JpegFile.parse(encoded(scene().convert("CMYK"), "JPEG")).colour_model == "CMYK"


def test_the_chroma_grid_follows_from_the_sampling() -> None:
    shifts = [JpegFile.parse(encoded(scene(), "JPEG", subsampling=n)).frame.shifts(1) for n in range(3)]
    assert shifts == [(0, 0), (1, 0), (1, 1)]


@pytest.mark.parametrize("length", [2, 3, 30, 300, len(PLAIN) - 2, len(PLAIN) - 1])
def test_truncated(length: int) -> None:
    with pytest.raises(DamagedPictureError):
        JpegFile.parse(PLAIN[:length])


def test_no_marker_where_one_must_be() -> None:
    with pytest.raises(DamagedPictureError, match="marker is missing"):
        JpegFile.parse(PLAIN[:2] + b"\0\0" + PLAIN[2:])


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA])
def test_kinds_that_cannot_be_masked_are_told(marker: int) -> None:
    with pytest.raises(UnsupportedFormatError, match="convert the picture to PNG"):
        JpegFile.parse(PLAIN.replace(b"\xff\xc0", bytes((0xFF, marker)), 1))
