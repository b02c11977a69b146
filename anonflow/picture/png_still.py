"""PNG: samples in their own depth; chunks that say how the picture is shown are copied as they are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anonflow.errors import DamagedPictureError, UnsupportedFormatError
from anonflow.picture import exif
from anonflow.picture.base import IsKept, PictureInfo
from anonflow.picture.hiding import Grid, Hiding
from anonflow.picture.pillow import array, bgr_of, decoded, looks_of, opened, require_size
from anonflow.picture.png_file import MALFORMED_TEXT, PngFile
from anonflow.picture.raster import Samples, avoid, fill_bits, fill_indices, paint_channels
from anonflow.types import Picture

KIND = "PNG"
_COLOURS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGB and alpha"}
_INDEXED = 3


@dataclass(frozen=True, eq=False)
class PngStill:
    """A `StillPicture`."""

    png: PngFile

    @classmethod
    def open(cls, data: bytes, max_pixels: int) -> PngStill:
        """The picture of a file."""
        png = PngFile.parse(data)
        require_size(*png.header[:2], max_pixels)
        return cls(png)

    @cached_property
    def info(self) -> PictureInfo:
        """As `StillPicture.info`."""
        png = self.png
        width, height, depth, kind = png.header
        block = png.first(b"eXIf")
        tags = exif.tags(block) if block else ()
        names = {*exif.names(tags), *(chunk.label for chunk in png.others)}
        return PictureInfo(
            format=KIND,
            grid=Grid(width, height),
            orientation=exif.orientation(tags),
            mode=f"{_COLOURS[kind]} {depth} bit",
            coding="lossless",
            colour_profile=b"".join(c.name + c.data for c in png.kept if c.name != b"pHYs"),
            resolution=png.first(b"pHYs").hex(),
            metadata=tuple(sorted(names | ({"appended data"} if png.n_bytes_after else set()))),
        )

    def bgr(self, least_side_px: int) -> Picture:
        """As `StillPicture.bgr`."""
        return bgr_of(decoded(opened(self.png.core(), KIND), KIND))

    def looks(self, least_side_px: int) -> tuple[Picture, ...]:
        """As `StillPicture.looks`."""
        return looks_of(decoded(opened(self.png.core(), KIND), KIND))

    def masked(self, hiding: Hiding, is_kept: IsKept) -> bytes:
        """As `StillPicture.masked`: always encoded again, so that nothing hides in what decoders pass over."""
        samples = self.samples()[0].copy()
        _, _, depth, kind = self.png.header
        if kind == _INDEXED:
            fill_indices(samples, tuple(self.png.first(b"PLTE")), self.png.first(b"tRNS"), hiding)
        elif depth < 8:
            fill_bits(samples, hiding)
        else:
            paint_channels(samples, 1 if self.png.n_channels < 3 else 3, depth, hiding)
        if kind != _INDEXED and (transparent := self.png.first(b"tRNS")):
            avoid(samples, np.frombuffer(transparent, ">u2"), hiding)
        block = exif.reduced(self.png.first(b"eXIf"), is_kept)
        texts = [chunk for chunk in self.png.others if _is_text(chunk.label) and is_kept(chunk.label)]
        return self.png.with_samples(samples, block, texts)

    def samples(self) -> tuple[NDArray[Any], ...]:
        """As `StillPicture.samples`."""
        return (self._samples,)

    def unhidden(self, hidden: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
        """As `StillPicture.unhidden`."""
        return (~hidden,)

    @cached_property
    def _samples(self) -> Samples:
        """(h, w, channels) as the file has them: not scaled, indices of a palette."""
        width, height, depth, kind = self.png.header
        if depth == 16 and self.png.first(b"tRNS"):
            raise UnsupportedFormatError("PNG of 16 bits with a transparent colour is not supported: use alpha.")
        if depth == 16 and kind != 0:
            return self._deep()
        image = decoded(opened(self.png.core(), KIND), KIND)
        samples = array(image).reshape(height, width, -1)
        if samples.shape[2] != self.png.n_channels:
            raise UnsupportedFormatError(f"PNG of {_COLOURS[kind]} with {depth} bits is not supported: convert it.")
        if kind == _INDEXED and samples.max() >= len(self.png.first(b"PLTE")) // 3:
            raise DamagedPictureError("The PNG palette lacks colours of the picture. Copy the file again.")
        if kind == 0 and depth in (2, 4):
            return samples >> (8 - depth)  # Pillow stretches them to 8 bits
        return samples

    def _deep(self) -> Samples:
        """16 bits a channel, of which Pillow would keep 8."""
        if self.png.n_channels == 2:
            raise UnsupportedFormatError("PNG of grey and alpha with 16 bits is not supported: convert it to RGBA.")
        flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
        read = cv2.imdecode(np.frombuffer(self.png.core(), np.uint8), flags)
        width, height, _, _ = self.png.header
        if read is None or read.dtype != np.uint16 or read.shape != (height, width, self.png.n_channels):
            raise DamagedPictureError("The PNG file is damaged: it cannot be decoded. Copy it again.")
        order = (2, 1, 0, 3)[: self.png.n_channels]
        return np.ascontiguousarray(read[..., order])


def _is_text(label: str) -> bool:
    return label.startswith("text.") and label != MALFORMED_TEXT
