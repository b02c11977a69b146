from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anonflow.errors import BrokenMetadataError
from anonflow.picture import exif
from tests.pictures import camera, everything, nothing

BLOCK = camera(6).tobytes()


def entry(number: int, kind: int, count: int, value: int, order: str = "<") -> bytes:
    return struct.pack(f"{order}HHII", number, kind, count, value)


def block(*entries: bytes, following: int = 0) -> bytes:
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", following)


def test_names_say_what_is_there_and_not_how_it_is_shown() -> None:
    names = exif.names(exif.tags(BLOCK))
    assert names == ("exif.DateTime", "exif.DateTimeOriginal", "exif.Make", "gps.GPSLatitudeRef", "makernote")
    assert exif.orientation(exif.tags(BLOCK)) == 6


def test_by_default_only_how_it_is_shown_is_left() -> None:
    left = exif.reduced(BLOCK, nothing)
    assert exif.names(exif.tags(left)) == () and exif.orientation(exif.tags(left)) == 6
    assert b"SECRET" not in left and len(left) < 40
    assert exif.reduced(camera(1).tobytes(), nothing) == b"", "upright is what viewers assume"


def test_the_policy_keeps_by_name() -> None:
    left = exif.reduced(BLOCK, lambda name: name in ("exif.Make", "gps.GPSLatitudeRef"))
    assert exif.names(exif.tags(left)) == ("exif.Make", "gps.GPSLatitudeRef")
    assert b"SECRETMAKE" in left and b"SECRETNOTE" not in left


def test_maker_notes_and_thumbnails_are_never_kept() -> None:
    with_thumbnail = block(entry(274, 3, 1, 6), following=26) + block(entry(513, 4, 1, 99))[8:]
    assert exif.names(exif.tags(with_thumbnail)) == ("thumbnail",)
    for given_block in (BLOCK, with_thumbnail):
        kept = exif.names(exif.tags(exif.reduced(given_block, everything)))
        assert not {"makernote", "thumbnail"} & set(kept)


def test_viewers_read_what_is_written() -> None:
    image = Image.new("RGB", (8, 8))
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif.PREFIX + exif.reduced(BLOCK, nothing))
    assert Image.open(file).getexif()[274] == 6


@pytest.mark.parametrize(("value", "means"), [(0, 1), (1, 1), (8, 8)])
def test_orientations(value: int, means: int) -> None:
    assert exif.orientation(exif.tags(block(entry(274, 3, 1, value)))) == means


BROKEN = {
    "no header": b"\0" * 40,
    "cut off": BLOCK[:20],
    "a directory beyond the end": b"II*\0\xff\xff\xff\0",
    "more tags than there can be": b"II*\0\x08\0\0\0\xff\xff" + b"\0" * 12 * 2000,
    "a circle": block(entry(0x8769, 4, 1, 8)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_said(name: str) -> None:
    with pytest.raises(BrokenMetadataError):
        exif.tags(BROKEN[name])


def test_no_orientation_is_guessed() -> None:
    for wrong in (entry(274, 3, 1, 9), entry(274, 2, 9, 0)):
        with pytest.raises(BrokenMetadataError):
            exif.orientation(exif.tags(block(wrong)))


@given(st.binary(max_size=200), st.integers(0, len(BLOCK)))
def test_whatever_stands_there_it_is_read_or_refused(junk: bytes, position: int) -> None:
    damaged: Any = BLOCK[:position] + junk + BLOCK[position + len(junk) :]
    try:
        found = exif.tags(damaged)
        assert 1 <= exif.orientation(found) <= 8
        left = exif.reduced(damaged, nothing)
    except BrokenMetadataError:
        return
    assert exif.orientation(exif.tags(left) if left else ()) == exif.orientation(found)
    assert b"SECRET" not in left


@pytest.mark.parametrize("number", [37500, 50740, 50828, 0xEA1E])
def test_what_makers_put_in_is_never_kept(number: int) -> None:
    made = Image.Exif()
    made[number], made[271] = b"SECRETNOTE", "make"
    given = made.tobytes()
    assert set(exif.names(exif.tags(given))) == {"makernote", "exif.Make"}
    assert b"SECRET" not in exif.reduced(given, lambda _: True) and b"make" in exif.reduced(given, lambda _: True)


def test_only_the_first_directory_tells_what_is_up() -> None:
    inner = Image.Exif()
    inner.get_ifd(0x8769)[274] = 6
    inner[0x8769] = inner.get_ifd(0x8769)
    given = inner.tobytes()
    assert exif.orientation(exif.tags(given)) == 1 and exif.names(exif.tags(given)) == ("exif.Orientation",)
    assert exif.reduced(given, lambda _: False) == b""
