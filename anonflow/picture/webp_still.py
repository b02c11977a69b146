"""WebP: without loss if it was stored so; else encoded again at high quality, or copied if nothing is hidden."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anonflow.picture import exif
from anonflow.picture.base import IsKept, PictureInfo
from anonflow.picture.hiding import Grid, Hiding
from anonflow.picture.pillow import array, bgr_of, decoded, opened, require_size
from anonflow.picture.raster import paint_channels
from anonflow.picture.webp_file import WebpFile
from anonflow.types import Picture

KIND = "WEBP"
_QUALITY = 100


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
            mode=f"{self.image.mode} 8 bit",
            coding="lossless" if self.webp.is_lossless else "lossy",
            colour_profile=self.webp.first(b"ICCP"),
            resolution="",
            metadata=tuple(sorted({*exif.names(tags), *self.webp.others})),
        )

    def bgr(self, least_side_px: int) -> Picture:
        """As `StillPicture.bgr`."""
        return bgr_of(self._decoded)

    def masked(self, hiding: Hiding, is_kept: IsKept) -> bytes:
        """As `StillPicture.masked`."""
        block = exif.reduced(self.webp.first(b"EXIF"), is_kept)
        picture = self.webp
        if not hiding.is_empty or self.webp.is_lossless:
            picture = WebpFile.parse(self._painted(hiding))
        return self.webp.with_picture_of(picture, self.image.size, block)

    def samples(self) -> tuple[NDArray[Any], ...]:
        """As `StillPicture.samples`."""
        return (array(self._decoded),)

    def unhidden(self, hidden: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
        """As `StillPicture.unhidden`."""
        return (~hidden,)

    @cached_property
    def _decoded(self) -> Image.Image:
        return decoded(opened(self.data, KIND), KIND)

    def _painted(self, hiding: Hiding) -> bytes:
        samples = array(self._decoded)
        paint_channels(samples, 3, 8, hiding)
        file = io.BytesIO()
        image = Image.fromarray(samples)
        if self.webp.is_lossless:
            image.save(file, KIND, lossless=True, quality=50, exact=True)
        else:
            image.save(file, KIND, quality=_QUALITY, method=4, exact=True, use_sharp_yuv=True)
        return file.getvalue()
