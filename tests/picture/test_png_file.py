from __future__ import annotations

import io
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from anonflow.errors import DamagedPictureError, UnsupportedFormatError
from anonflow.picture.png_file import START, Chunk, PngFile
from tests.pictures import HEIGHT, WIDTH, encoded, profile, scene, stored

PLAIN = encoded(scene(), "PNG", dpi=(300, 300))


def with_chunk(name: bytes, data: bytes) -> bytes:
    return PLAIN[:33] + Chunk(name, data).to_bytes() + PLAIN[33:]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([(8, 0), (8, 2), (8, 4), (8, 6), (16, 0), (4, 3), (1, 3), (2, 0), (1, 0)]), st.data())
def test_samples_come_back_whatever_their_depth(form: tuple[int, int], data: st.DataObject) -> None:
    depth, kind = form
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    width, height = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 9))
    seed = data.draw(st.integers(0, 99))
    samples = np.random.default_rng(seed).integers(0, 1 << depth, (height, width, channels)).astype(np.uint16)
    header = b"".join(side.to_bytes(4, "big") for side in (width, height)) + bytes((depth, kind, 0, 0, 0))
    palette = [Chunk(b"PLTE", bytes(range(48)))] if kind == 3 else []
    png = PngFile((Chunk(b"IHDR", header), *palette, Chunk(b"IDAT", b"x"), Chunk(b"IEND", b"")), 0)
    image = Image.open(io.BytesIO(png.with_samples(samples, b"", ())))
    read = np.array(image).reshape(height, width, channels).astype(np.uint16)
    if kind == 0 and depth in (2, 4):
        read >>= 8 - depth
    np.testing.assert_array_equal(read, samples)


def test_chunks_that_say_how_it_is_shown_are_copied() -> None:
    data = with_chunk(b"gAMA", b"\0\0\xb1\x8f")
    png = PngFile.parse(data)
    out = PngFile.parse(png.with_samples(stored(data), b"", ()))
    assert [(c.name, c.data) for c in out.kept] == [(c.name, c.data) for c in png.kept]
    assert {c.name for c in out.kept} == {b"gAMA", b"pHYs"}


@pytest.mark.parametrize(
    ("name", "data", "label"),
    [
        (b"tEXt", b"Author\0SECRET", "text.Author"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0SECRET", "xmp"),
        (b"tIME", b"SECRET!", "png.tIME"),
        (b"zTXt", b"Raw profile type exif\0\0SECRET", "raw profile"),
        (b"tEXt", b"Jane Doe SECRET", "text.(malformed)"),
        (b"tEXt", b"S" * 80 + b"\0SECRET", "text.(malformed)"),
        (b"tEXt", b"\0SECRET", "text.(malformed)"),
        (b"prVt", b"SECRET", "png.prVt"),
    ],
)
def test_all_else_is_named_and_left_out(name: bytes, data: bytes, label: str) -> None:
    png = PngFile.parse(with_chunk(name, data))
    assert [chunk.label for chunk in png.others] == [label]
    assert b"SECRET" not in png.with_samples(stored(PLAIN), b"", ())


def test_what_comes_after_the_end_is_seen() -> None:
    """Cropping tools have left the whole picture there."""
    assert PngFile.parse(PLAIN + b"old picture").n_bytes_after == 11


def test_animation_is_refused() -> None:
    frames = [scene(), scene().rotate(90)]
    with pytest.raises(UnsupportedFormatError, match="Animated"):
        PngFile.parse(encoded(frames[0], "PNG", save_all=True, append_images=frames[1:]))


@pytest.mark.parametrize("length", [8, 20, 40, len(PLAIN) - 1])
def test_truncated(length: int) -> None:
    with pytest.raises(DamagedPictureError, match="truncated"):
        PngFile.parse(PLAIN[:length])


def test_a_wrong_checksum_is_damage() -> None:
    with pytest.raises(DamagedPictureError, match="checksum"):
        PngFile.parse(PLAIN[:60] + bytes((PLAIN[60] ^ 1,)) + PLAIN[61:])


def test_no_picture() -> None:
    with pytest.raises(DamagedPictureError, match="no picture"):
        PngFile.parse(START + Chunk(b"IEND", b"").to_bytes())
    assert zlib.crc32(b"IEND") == int.from_bytes(Chunk(b"IEND", b"").to_bytes()[-4:], "big")


@pytest.mark.parametrize("name", [b"gAMA", b"cLLI", b"sBIT", b"bKGD", b"sPLT", b"hIST", b"PLTE"])
def test_what_has_room_for_more_is_left_out(name: bytes) -> None:
    png = PngFile.parse(with_chunk(name, b"SECRETSECRETSECRET"))
    assert [chunk.label for chunk in png.others] == [f"png.{name.decode()}"]
    assert b"SECRET" not in png.with_samples(stored(PLAIN), b"", ())


def test_the_name_of_a_profile_is_not_kept() -> None:
    content = b"SECRET\0\0" + zlib.compress(profile())
    png = PngFile.parse(with_chunk(b"iCCP", content))
    out = png.with_samples(stored(PLAIN), b"", ())
    assert b"SECRET" not in out and Image.open(io.BytesIO(out)).info["icc_profile"] == profile()


@pytest.mark.parametrize(
    "chunks",
    [[], [(b"PLTE", b"abcd")], [(b"PLTE", b"")], [(b"PLTE", b"abc")] * 2, [(b"PLTE", b"abc"), (b"tRNS", b"ab")]],
)
def test_an_indexed_picture_without_its_colours_is_damaged(chunks: list[tuple[bytes, bytes]]) -> None:
    header = Chunk(b"IHDR", (8).to_bytes(4, "big") * 2 + bytes((8, 3, 0, 0, 0)))
    given = [
        header,
        *(Chunk(*parts) for parts in chunks),
        Chunk(b"IDAT", zlib.compress(bytes(72))),
        Chunk(b"IEND", b""),
    ]
    with pytest.raises(DamagedPictureError, match="palette"):
        PngFile.parse(START + b"".join(chunk.to_bytes() for chunk in given))


@pytest.mark.parametrize("chunks", [[b"1234567"], [b"123456"] * 2])
def test_transparency_must_be_one_colour(chunks: list[bytes]) -> None:
    made = b"".join(Chunk(b"tRNS", content).to_bytes() for content in chunks)
    with pytest.raises(DamagedPictureError, match="palette"):
        PngFile.parse(PLAIN[:33] + made + PLAIN[33:])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_strips_make_the_same_file_as_the_whole(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(scene().convert(mode), "PNG")
    samples = stored(data, mode).reshape(HEIGHT, WIDTH, -1)
    whole = PngFile.parse(data).with_samples(samples, b"", ())
    for size in (1, 1000, 9999):
        monkeypatch.setattr("anonflow.picture.png_file._STRIP_SAMPLES", size)
        assert PngFile.parse(data).with_samples(samples, b"", ()) == whole


def test_writing_needs_less_memory_than_the_samples() -> None:
    samples = np.random.default_rng(1).integers(0, 9, (4000, 2000, 3), dtype=np.uint8)
    header = Chunk(b"IHDR", (2000).to_bytes(4, "big") + (4000).to_bytes(4, "big") + bytes((8, 2, 0, 0, 0)))
    png = PngFile((header, Chunk(b"IDAT", b"x"), Chunk(b"IEND", b"")), 0)
    tracemalloc.start()
    out = png.with_samples(samples, b"", ())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(out) + 40e6 < 4 * samples.size
