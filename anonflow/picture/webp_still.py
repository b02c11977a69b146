"""WebP: without loss if it was stored so; else encoded again at high quality, or copied if nothing is hidden.

Where encoding again changes too much outside of the masks, or more lies in the data than the picture, it is stored
without loss.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anonflow.errors import DamagedPictureError
from anonflow.picture import exif
from anonflow.picture.base import IsKept, PictureInfo
from anonflow.picture.hiding import Grid, Hiding
from anonflow.picture.pillow import array, bgr_of, decoded, looks_of, opened, require_size
from anonflow.picture.raster import paint_channels
from anonflow.picture.webp_file import WebpFile
from anonflow.types import Picture

KIND = "WEBP"
_QUALITY = 97
"""Frames of nine clips at qualities 60 to 90 were 46 to 54 dB after it, at 1.2 to 3.8 times the size."""
_SLACK_BYTES = 16
MIN_PSNR_DB = 40.0
"""Of the samples outside of the masks that encoding again must reach."""


@dataclass(frozen=True, eq=False)
class WebpStill:
    """A `StillPicture`."""

    webp: WebpFile
    data: bytes
    image: Image.Image

    @classmethod
    def open(cls, data: bytes, max_pixels: int) -> WebpStill:
        """The picture of a file."""
        webp = WebpFile.parse(data)
        image = opened(data, KIND)
        require_size(*image.size, max_pixels)
        return cls(webp, data, image)

    @cached_property
    def info(self) -> PictureInfo:
        """As `StillPicture.info`."""
        block = self.webp.first(b"EXIF")
        tags = exif.tags(block) if block else ()
        return PictureInfo(
            format=KIND,
            grid=Grid(*self.image.size),
            orientation=exif.orientation(tags),
            mode=f"{self._mode} 8 bit",
            coding="lossless" if self.webp.is_lossless else "lossy",
            colour_profile=self.webp.colour_profile,
            resolution="",
            metadata=tuple(sorted({*exif.names(tags), *self.webp.others})),
        )

    def bgr(self, least_side_px: int) -> Picture:
        """As `StillPicture.bgr`."""
        return bgr_of(self._decoded)

    def looks(self, least_side_px: int) -> tuple[Picture, ...]:
        """As `StillPicture.looks`."""
        return looks_of(self._decoded)

    def masked(self, hiding: Hiding, is_kept: IsKept) -> bytes:
        """As `StillPicture.masked`."""
        block = exif.reduced(self.webp.first(b"EXIF"), is_kept)
        may_copy = hiding.is_empty and not self.webp.is_lossless and self._ends_with_its_picture()
        picture = self._copied() if may_copy else WebpFile.parse(self._painted(hiding))
        return self.webp.with_picture_of(picture, self.image.size, block)

    def samples(self) -> tuple[NDArray[Any], ...]:
        """As `StillPicture.samples`."""
        return (array(self._decoded.convert(self._mode)),)

    def unhidden(self, hidden: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
        """As `StillPicture.unhidden`."""
        return (~hidden,)

    @cached_property
    def _decoded(self) -> Image.Image:
        return decoded(opened(self.data, KIND), KIND)

    @property
    def _mode(self) -> str:
        """RGBA where transparency is announced, though Pillow sees none in a picture that is opaque all over."""
        return "RGBA" if self.webp.announces_alpha else "RGB"

    def _ends_with_its_picture(self) -> bool:
        """Whether decoders need the data up to its end, be it `_SLACK_BYTES` that encoders flush.

        The last part of the data has no length (RFC 6386, 9.5), so only decoding tells. Neither are the ends of the
        parts before it known, in which nothing as large as rows can be.
        """
        content = self.webp.first(b"VP8 ")
        shorter = self.webp.replaced(b"VP8 ", content[:-_SLACK_BYTES])
        try:
            decoded(opened(shorter.with_picture_of(shorter, self.image.size, b""), KIND), KIND)
        except DamagedPictureError:
            return True
        return False

    def _copied(self) -> WebpFile:
        """The picture as it is; its transparency, without loss, anew."""
        if not self.webp.first(b"ALPH"):
            return self.webp
        alpha = Image.fromarray(self.samples()[0][..., 3])
        black = Image.new("L", alpha.size)
        made = WebpFile.parse(_saved(Image.merge("RGBA", (black, black, black, alpha)), quality=0))
        return self.webp.replaced(b"ALPH", made.first(b"ALPH"))

    def _painted(self, hiding: Hiding) -> bytes:
        samples = self.samples()[0]
        paint_channels(samples, 3, 8, hiding)
        image = Image.fromarray(samples)
        if not (self.webp.is_lossless or hiding.is_empty):
            lossy = _saved(image, quality=_QUALITY, method=4)
            shown = ~hiding.hidden
            again = array(decoded(opened(lossy, KIND), KIND).convert(self._mode))
            if again.shape == samples.shape and psnr_db(samples[shown], again[shown]) >= MIN_PSNR_DB:
                return lossy
        return _saved(image, lossless=True, quality=50)


def psnr_db(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Peak signal-to-noise ratio of 8-bit samples of one shape; infinite if they are equal."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2)) if a.size else 0.0
    return 10 * math.log10(255**2 / error) if error else math.inf


def _saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, KIND, exact=True, **options)
    return file.getvalue()
