"""JPEG: coefficients outside of the masks' blocks stay as they are, metadata goes segment by segment."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.picture import exif
from anonflow.picture.base import IsKept, PictureInfo
from anonflow.picture.coefficients import read_coefficients
from anonflow.picture.hiding import Hiding
from anonflow.picture.jpeg import grid, mask_jpeg, touched_blocks
from anonflow.picture.jpeg_file import JpegFile
from anonflow.picture.pillow import bgr_of, decoded, opened, require_size
from anonflow.types import Picture

KIND = "JPEG"


@dataclass(frozen=True, eq=False)
class JpegStill:
    """A `StillPicture`."""

    jpeg: JpegFile
    _sound: list[bool] = field(default_factory=list)
    """Holds something once the picture was decoded."""

    @classmethod
    def open(cls, data: bytes, max_pixels: int) -> JpegStill:
        """The picture of a file; of several in one, the first."""
        jpeg = JpegFile.parse(data)
        require_size(jpeg.frame.width, jpeg.frame.height, max_pixels)
        return cls(jpeg)

    @cached_property
    def info(self) -> PictureInfo:
        """As `StillPicture.info`."""
        jpeg, tags = self.jpeg, exif.tags(self.jpeg.exif) if self.jpeg.exif else ()
        frame = jpeg.frame
        sampling = " ".join(f"{c.sampling_x}x{c.sampling_y}" for c in frame.components)
        return PictureInfo(
            format=KIND,
            grid=grid(jpeg),
            orientation=exif.orientation(tags),
            mode=f"{jpeg.colour_model} {sampling} 8 bit",
            coding=f"{'progressive' if frame.is_progressive else 'sequential'}, tables {_digest(jpeg.tables)}",
            colour_profile=jpeg.colour_profile,
            resolution=jpeg.density.hex(),
            metadata=tuple(sorted({*jpeg.others, *exif.names(tags)})),
        )

    def bgr(self, least_side_px: int) -> Picture:
        """As `StillPicture.bgr`: decoded smaller where the DCT gives that for nothing."""
        image = opened(self.jpeg.with_picture_of(self.jpeg, b"", ()), KIND)
        if max(image.size) > least_side_px:
            scale = least_side_px / max(image.size)
            # Pillow chooses the smallest of 1/1 to 1/8 with which no side is below these.
            width, height = (max(1, math.ceil(side * scale)) for side in image.size)
            image.draft(image.mode, (width, height))
        return bgr_of(decoded(image, KIND))

    def looks(self, least_side_px: int) -> tuple[Picture, ...]:
        """As `StillPicture.looks`: JPEG has no transparency."""
        return (self.bgr(least_side_px),)

    def masked(self, hiding: Hiding, is_kept: IsKept) -> bytes:
        """As `StillPicture.masked`."""
        self._require_sound()
        comments = self.jpeg.comments if is_kept("comment") else ()
        masked = mask_jpeg(self.jpeg, hiding)
        return self.jpeg.with_picture_of(masked, exif.reduced(self.jpeg.exif, is_kept), comments)

    def samples(self) -> tuple[NDArray[Any], ...]:
        """As `StillPicture.samples`."""
        self._require_sound()
        return read_coefficients(self.jpeg).blocks

    def unhidden(self, hidden: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
        """As `StillPicture.unhidden`."""
        frame = self.jpeg.frame
        form = self.info.grid
        return tuple(
            ~touched_blocks(hidden, frame.blocks(n), (form.shift_x, form.shift_y) if n else (0, 0))
            for n in range(len(frame.components))
        )

    def _require_sound(self) -> None:
        """Raise DamagedPictureError unless Pillow can decode it: jpeglib crashes at some errors in headers."""
        if not self._sound:
            self.bgr(1)
            self._sound.append(True)


def _digest(tables: tuple[bytes, ...]) -> str:
    return hashlib.sha256(b"".join(tables)).hexdigest()[:8]
