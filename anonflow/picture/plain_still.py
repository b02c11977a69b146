"""TIFF and BMP: decoded and written by Pillow, without loss."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anonflow.errors import UnsupportedFormatError
from anonflow.picture import bmp_header, exif
from anonflow.picture.base import IsKept, PictureInfo
from anonflow.picture.hiding import Grid, Hiding
from anonflow.picture.icc import BROKEN, cleaned
from anonflow.picture.pillow import array, bgr_of, decoded, looks_of, opened, require_size
from anonflow.picture.raster import Samples, fill_bits, fill_indices, paint_channels
from anonflow.picture.tiff_tags import SampleTags
from anonflow.types import Picture

TIFF, BMP = "TIFF", "BMP"
_MODES = {
    TIFF: ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B"),
    BMP: ("1", "L", "P", "RGB"),
}
_LOSSLESS_COMPRESSIONS = (
    *("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"),
    *("group3", "group4", "tiff_ccitt", "zstd", "lzma"),
)
_LOSSY_COMPRESSIONS = ("jpeg", "tiff_jpeg", "webp")
_SUBFILE, _SUB_DIRECTORIES = 254, 330
_REDUCED = 1
_BLOCKS = {700: "xmp", 33723: "iptc", 34377: "photoshop", 37724: "photoshop"}
_DIRECTORIES = (0x8769, 0x8825)
_RESOLUTION = (282, 283, 296)


@dataclass(frozen=True, eq=False)
class PlainStill:
    """A `StillPicture`."""

    data: bytes
    image: Image.Image
    kind: str

    @classmethod
    def open(cls, data: bytes, kind: str, max_pixels: int) -> PlainStill:
        """The picture of a file.

        Raises:
            UnsupportedFormatError: several pages; samples that would not come out as they are.
        """
        image = opened(data, kind)
        require_size(*image.size, max_pixels)
        if image.mode not in _MODES[kind]:
            raise UnsupportedFormatError(f"{kind} of mode {image.mode} is not supported: convert it to PNG.")
        if kind == BMP:
            bmp_header.require_exact(data, image.mode)
        else:
            SampleTags.of(getattr(image, "tag_v2", {})).require_exact(image.mode)
            _require_known_compression(image)
            _require_single_tiff(data)
        return cls(data, image, kind)

    @cached_property
    def info(self) -> PictureInfo:
        """As `StillPicture.info`."""
        tags = self._tags()
        resolution = [str(self._tag(number)) for number in _RESOLUTION]
        return PictureInfo(
            format=self.kind,
            grid=Grid(*self.image.size),
            orientation=1,  # Pillow turns a TIFF upright when it decodes it, and so it is written
            mode=f"{self.image.mode} {self._storage()}",
            coding="lossless" if self._is_lossless else "lossy",
            colour_profile=self._profile(),
            resolution=" ".join(resolution) if self.kind == TIFF else bmp_header.resolution(self.data).hex(),
            metadata=tuple(sorted({*exif.names(tags), *self._block_names()})),
        )

    def bgr(self, least_side_px: int) -> Picture:
        """As `StillPicture.bgr`."""
        return bgr_of(self._decoded)

    def looks(self, least_side_px: int) -> tuple[Picture, ...]:
        """As `StillPicture.looks`."""
        return looks_of(self._decoded)

    def masked(self, hiding: Hiding, is_kept: IsKept) -> bytes:
        """As `StillPicture.masked`. What was compressed with loss is stored without, as no pixel may change."""
        samples = self.samples()[0].copy()
        self._paint(samples, hiding)
        image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples, **self._as_mode())
        if image.mode == "P":
            image.putpalette(self.image.getpalette() or [0, 0, 0])
        file = io.BytesIO()
        image.save(file, self.kind, **self._options(is_kept))
        written = file.getvalue()
        if self.kind == BMP:
            return bmp_header.with_resolution(written, bmp_header.resolution(self.data))
        return written

    def samples(self) -> tuple[NDArray[Any], ...]:
        """As `StillPicture.samples`."""
        return (array(self._decoded).reshape(self.image.height, self.image.width, -1),)

    def unhidden(self, hidden: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
        """As `StillPicture.unhidden`."""
        return (~hidden,)

    @cached_property
    def _decoded(self) -> Image.Image:
        return decoded(opened(self.data, self.kind), self.kind)

    @property
    def _is_lossless(self) -> bool:
        return self.kind == BMP or self.image.info.get("compression", "raw") in _LOSSLESS_COMPRESSIONS

    def _as_mode(self) -> dict[str, str]:
        """Arrays of one byte a pixel could be grey or palette, those of four RGBA or CMYK."""
        return {"mode": self.image.mode} if self.image.mode in ("P", "CMYK") else {}

    def _paint(self, samples: Samples, hiding: Hiding) -> None:
        mode = self.image.mode
        if mode == "P":
            fill_indices(samples, self.image.getpalette() or [0, 0, 0], b"", hiding)
        elif mode == "1":
            fill_bits(samples, hiding)
        elif mode == "CMYK":
            samples[:] = ~samples  # ink to light
            paint_channels(samples, 4, 8, hiding)
            samples[:] = ~samples
        else:
            paint_channels(samples, 3 if samples.shape[2] >= 3 else 1, self._bits(), hiding)

    def _profile(self) -> bytes:
        return cleaned(self.image.info.get("icc_profile") or b"")

    def _storage(self) -> str:
        if self.kind == BMP:
            return f"{bmp_header.bits_of(self.data)} bit"
        return str(SampleTags.of(getattr(self.image, "tag_v2", {})))

    def _bits(self) -> int:
        if self.image.mode.startswith("I;16"):
            return 16
        return 1 if self.image.mode == "1" else 8

    def _options(self, is_kept: IsKept) -> dict[str, Any]:
        if self.kind == BMP:
            return {}
        compression = self.image.info.get("compression", "raw")
        options: dict[str, Any] = {"compression": compression if self._is_lossless else "tiff_adobe_deflate"}
        if block := exif.reduced_tags(self.image.getexif(), is_kept, is_tiff=True):
            options["exif"] = exif.PREFIX + block
        if profile := self._profile():
            options["icc_profile"] = profile
        return options

    def _tag(self, number: int) -> Any:
        return getattr(self.image, "tag_v2", {}).get(number, "")

    def _tags(self) -> tuple[exif.Tag, ...]:
        """Tags of a TIFF file that are not how its picture is stored; BMP has none."""
        if self.kind == BMP:
            return ()
        found = []
        with exif.reading():
            given = self.image.getexif()
            for number in dict(given):
                if not exif.is_about_storage(number) and number not in _DIRECTORIES:
                    found.append(exif.Tag("exif", number, None))
            for directory, number in (("exif", _DIRECTORIES[0]), ("gps", _DIRECTORIES[1])):
                found += [exif.Tag(directory, inner, None, False) for inner in dict(given.get_ifd(number))]
        return tuple(found)

    def _block_names(self) -> set[str]:
        tags = getattr(self.image, "tag_v2", {})
        names = {name for number, name in _BLOCKS.items() if number in tags}
        has_more = self.kind == TIFF and (getattr(self.image, "n_frames", 1) > 1 or _SUB_DIRECTORIES in tags)
        names |= {BROKEN} if self.image.info.get("icc_profile") and not self._profile() else set()
        return names | ({exif.THUMBNAIL} if has_more else set())


def _require_single_tiff(data: bytes) -> None:
    """Further pages may only be reduced copies of the first, which are left out."""
    image = opened(data, TIFF)
    kinds = []
    with exif.reading():
        for page in range(1, getattr(image, "n_frames", 1)):
            image.seek(page)
            kinds.append(int(image.tag_v2.get(_SUBFILE, 0)))  # type: ignore[attr-defined]
    if not all(kind & _REDUCED for kind in kinds):
        raise UnsupportedFormatError(
            "TIFF with several pages is not masked: save each page as a file and run again."
        )


def _require_known_compression(image: Image.Image) -> None:
    compression = image.info.get("compression", "raw")
    if compression not in (*_LOSSLESS_COMPRESSIONS, *_LOSSY_COMPRESSIONS):
        raise UnsupportedFormatError(f"TIFF compressed with {compression} is not supported: use LZW.")
