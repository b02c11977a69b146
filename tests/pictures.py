"""Still pictures made on the spot, for tests that know everything about them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from anonflow.picture.hiding import Grid, Hiding
from anonflow.types import PlaneSet

WIDTH, HEIGHT = 101, 63
BOX = (18, 10, 61, 40)
"""To hide: on no block's border, in a picture whose sides are odd."""
CORNER = (90, 50, WIDTH, HEIGHT)


def scene(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Smooth colours, no symmetry: every turn of it looks different."""
    coarse = np.random.default_rng(3).integers(20, 255, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


@cache
def profile() -> bytes:
    """An ICC profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def camera(orientation: int = 1, *, inner: bool = True) -> Image.Exif:
    """What a camera writes: its make, a place, a time, a note of its own."""
    exif = Image.Exif()
    exif[274], exif[271], exif[306] = orientation, "SECRETMAKE", "2020:01:02 03:04:05"
    if inner:
        exif.get_ifd(0x8825)[1] = "N"
        exif.get_ifd(0x8769)[0x9003] = "2019:01:02 03:04:05"
        exif.get_ifd(0x8769)[0x927C] = b"SECRETNOTE"
        exif[0x8825], exif[0x8769] = exif.get_ifd(0x8825), exif.get_ifd(0x8769)
    return exif


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def shown(data: bytes, mode: str = "RGB") -> NDArray[Any]:
    """The picture as a viewer shows it, turned upright."""
    return np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert(mode))


def stored(data: bytes, mode: str = "RGB") -> NDArray[Any]:
    """The picture as it lies in the file."""
    return np.array(Image.open(io.BytesIO(data)).convert(mode))


def solid(grid: Grid, box: tuple[int, int, int, int] | None) -> Hiding:
    """A black box, rounded outward to the grid; None: nothing."""
    hidden = np.zeros((grid.height, grid.width), np.bool_)
    if box is None:
        return Hiding(lambda _: None, hidden, ())
    wide, high = 1 << grid.shift_x, 1 << grid.shift_y
    x1, y1 = box[0] // wide * wide, box[1] // high * high
    x2, y2 = min(-(-box[2] // wide) * wide, grid.width), min(-(-box[3] // high) * high, grid.height)
    hidden[y1:y2, x1:x2] = True

    def paint(planes: PlaneSet) -> None:
        assert (planes.width, planes.height) == (grid.width, grid.height)
        for number, plane in enumerate(planes.planes[:3]):
            x, y = (planes.chroma_shift_x, planes.chroma_shift_y) if number else (0, 0)
            fill = 128 << (planes.bit_depth - 8) if number else 0
            plane[y1 >> y : -(-y2 >> y), x1 >> x : -(-x2 >> x)] = fill

    return Hiding(paint, hidden, ((x1, y1, x2, y2),))


def nothing(_: str) -> bool:
    """The policy that keeps nothing."""
    return False


def everything(_: str) -> bool:
    """The policy that keeps what can be kept."""
    return True


def files() -> Iterator[tuple[str, bytes]]:
    """A file of every kind that is handled, by name."""
    image, grey = scene(), scene().convert("L")
    deep = np.asarray(scene()).astype(np.uint16) * 251
    for sampling, name in enumerate(("444", "422", "420")):
        for progressive in (False, True):
            options = {"quality": 85, "subsampling": sampling, "progressive": progressive, "exif": camera(6)}
            kind = "progressive" if progressive else "sequential"
            yield f"{name}-{kind}.jpg", encoded(image, "JPEG", icc_profile=profile(), comment=b"SECRET", **options)
    yield "grey.jpg", encoded(grey, "JPEG", dpi=(300, 300))
    yield "rgb.jpg", encoded(image, "JPEG", keep_rgb=True)
    yield "restarts.jpg", encoded(image, "JPEG", restart_marker_blocks=2)
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "SECRETMAKE")
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield f"{mode}.png", encoded(image.convert(mode), "PNG", exif=camera(8), pnginfo=text, dpi=(300, 300))
    yield "4-colours.png", encoded(image.quantize(4), "PNG")
    yield "4-bits.png", _grey_of_4_bits(np.asarray(grey) >> 4)
    yield "grey-16.png", encoded(Image.fromarray(deep[..., 0]), "PNG")
    yield "rgb-16.png", cv2.imencode(".png", deep)[1].tobytes()
    yield "rgba-16.png", cv2.imencode(".png", np.dstack([deep, deep[..., 0]]))[1].tobytes()
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK"):
        for compression in ("raw", "tiff_lzw"):
            exif = camera(3, inner=compression == "raw")
            options = {"compression": compression, "icc_profile": profile(), "exif": exif}
            yield f"{mode}-{compression}.tif", encoded(image.convert(mode), "TIFF", **options)
    yield "grey-16.tif", encoded(Image.fromarray(deep[..., 0]), "TIFF")
    yield "lossy.tif", encoded(image, "TIFF", compression="jpeg")
    for mode in ("1", "L", "P", "RGB"):
        yield f"{mode}.bmp", encoded(image.convert(mode), "BMP")
    yield "lossless.webp", encoded(image, "WEBP", lossless=True, exif=camera(5), icc_profile=profile())
    transparent = image.convert("RGBA")
    transparent.putalpha(grey)
    yield "transparent.webp", encoded(transparent, "WEBP", lossless=True, exact=True)
    yield "lossy.webp", encoded(image, "WEBP", quality=80, exif=camera(6), icc_profile=profile())


def _grey_of_4_bits(samples: NDArray[np.uint8]) -> bytes:
    """Pillow writes none."""
    from anonflow.picture.png_file import PngFile

    eight = PngFile.parse(encoded(Image.fromarray(samples), "PNG"))
    header = bytearray(eight.chunks[0].data)
    header[8] = 4
    object.__setattr__(eight.chunks[0], "data", bytes(header))
    return eight.with_samples(samples[..., None], b"", ())
