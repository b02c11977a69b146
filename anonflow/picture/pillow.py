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


def looks_of(image: Image.Image) -> tuple[NDArray[np.uint8], ...]:
    """The picture as `bgr_of` gives it; where a part of it is transparent, over white and over black as well.

    A picture can be in the transparency alone; which of the three shows it depends on the colours there.
    """
    colours = bgr_of(image)  # also loads `image`: some kinds tell only then what is transparent
    if not image.has_transparency_data:
        return (colours,)
    alpha = np.array(image.convert("RGBA").getchannel("A"))[..., None]
    if alpha.min() == 255:
        return (colours,)
    over_black = (colours.astype(np.uint16) * alpha // 255).astype(np.uint8)
    return (colours, over_black + (255 - alpha), over_black)


def require_size(width: int, height: int, max_pixels: int) -> None:
    """Raise PictureTooLargeError if the picture has more pixels than allowed."""
    if width * height > max_pixels:
        raise PictureTooLargeError(
            f"The picture has {width}x{height} pixels, more than picture.max_pixels={max_pixels}. "
            "Raise the limit if the file is meant to be that large."
        )


def _damaged(kind: str) -> DamagedPictureError:
    return DamagedPictureError(f"The {kind} file is damaged: it cannot be decoded. Copy it again from its source.")
