"""Decoding by Pillow, strictly: what is not whole is an error."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from anonflow.errors import DamagedPictureError, PictureTooLargeError

# The limit is picture.max_pixels, checked before anything is decoded.
Image.MAX_IMAGE_PIXELS = None
ImageFile.LOAD_TRUNCATED_IMAGES = False


def opened(data: bytes, kind: str) -> Image.Image:
    """The picture, its header read and nothing decoded.

    Raises:
        DamagedPictureError: Pillow cannot read the header.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Image.open(io.BytesIO(data), formats=[kind])
        except Exception as error:
            raise _damaged(kind) from error


def decoded(image: Image.Image, kind: str) -> Image.Image:
    """The same picture with its samples.

    Raises:
        DamagedPictureError: not all of it can be decoded.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image.load()
        except Exception as error:
            raise _damaged(kind) from error
    return image


def array(image: Image.Image) -> NDArray[Any]:
    """Its samples as a new array (h, w) or (h, w, channels)."""
    return np.array(image)


def bgr_of(image: Image.Image) -> NDArray[np.uint8]:
    """(h, w, 3) uint8; what lies under a transparent pixel is looked at, too."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.array(image).astype(np.uint16) >> 8).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBX"):
        samples = np.array(image.convert("RGBA"))[..., :3]
    else:
        samples = np.array(image.convert("RGB"))
    return np.ascontiguousarray(samples[..., ::-1])


def require_size(width: int, height: int, max_pixels: int) -> None:
    """Raise PictureTooLargeError if the picture has more pixels than allowed."""
    if width * height > max_pixels:
        raise PictureTooLargeError(
            f"The picture has {width}x{height} pixels, more than picture.max_pixels={max_pixels}. "
            "Raise the limit if the file is meant to be that large."
        )


def _damaged(kind: str) -> DamagedPictureError:
    return DamagedPictureError(f"The {kind} file is damaged: it cannot be decoded. Copy it again from its source.")
