"""The planes of a decoded frame: to paint on, and to make the small upright picture that detectors look at."""

from __future__ import annotations

from typing import Any, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from anonflow.errors import UnsupportedFormatError
from anonflow.types import FloatArray, Picture, PlaneSet, StreamFormat

_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_QUARTER_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


def plane_set(frame: av.VideoFrame, *, writable: bool = False) -> PlaneSet:
    """Views of the frame's planes; with `writable`, ones that may be painted on.

    A decoder keeps its pictures as references for later frames, so painting needs a copy of them first.

    Raises:
        UnsupportedFormatError: not planar YUV or grey of 8 to 16 bits, little-endian.
    """
    if not is_paintable(frame.format.name):
        raise UnsupportedFormatError(
            f"The pixel format {frame.format.name} cannot be masked in place: convert the video to yuv420p."
        )
    if writable:
        frame.make_writable()
    form = frame.format
    luma = form.components[0]
    shift_x, shift_y = _chroma_shifts(form)
    planes = tuple(_view(plane, luma.bits) for plane in frame.planes)
    for plane in planes:
        plane.flags.writeable = writable
    return PlaneSet(
        planes=planes,
        chroma_shift_x=shift_x,
        chroma_shift_y=shift_y,
        bit_depth=luma.bits,
        full_range=int(frame.color_range) == _FULL_RANGE or form.name.startswith("yuvj"),
    )


def chroma_shifts(stream: StreamFormat) -> tuple[int, int]:
    """The `chroma_shift_x` and `chroma_shift_y` that the planes of this stream's frames have."""
    return _chroma_shifts(av.VideoFormat(stream.pixel_format, stream.width, stream.height))


def is_paintable(pixel_format: str) -> bool:
    """Whether frames of this pixel format have planes of YUV or grey samples that `plane_set` can show."""
    form = av.VideoFormat(pixel_format, 16, 16)
    parts = form.components
    is_yuv = not (form.is_rgb or form.has_palette or form.is_bayer or form.is_bit_stream or form.is_big_endian)
    is_separate = len({part.plane for part in parts}) == len(parts)
    return is_yuv and is_separate and all(8 <= part.bits <= 16 for part in parts)


def bgr_upright(frame: av.VideoFrame, width: int, height: int, rotation_deg: int) -> Picture:
    """The frame as an upright BGR picture of `width` x `height` pixels, (height, width, 3) uint8.

    Scaled plane by plane before the colour conversion, which is several times faster than the other way round.
    Aspect is not kept: the caller chooses the size. `rotation_deg` is the counter-clockwise display rotation.
    """
    if rotation_deg % 180:
        width, height = height, width
    planes = plane_set(frame)
    picture = _full_range_bgr(planes, width, height) if planes.full_range else _bgr(planes, width, height)
    turn = _QUARTER_TURNS.get(rotation_deg % 360)
    return picture if turn is None else np.asarray(cv2.rotate(picture, turn), np.uint8)


def boxes_to_coded(
    xyxy: FloatArray, upright_size: tuple[int, int], coded_size: tuple[int, int], rotation_deg: int
) -> FloatArray:
    """Map boxes (n, 4) from the upright picture to the coded one. Sizes are (width, height) in pixels."""
    share = xyxy / np.array([*upright_size, *upright_size], np.float32)
    x1, y1, x2, y2 = share.T
    turned = {
        0: (x1, y1, x2, y2),
        90: (1 - y2, x1, 1 - y1, x2),
        180: (1 - x2, 1 - y2, 1 - x1, 1 - y1),
        270: (y1, 1 - x2, y2, 1 - x1),
    }[rotation_deg % 360]
    scale = np.array([*coded_size, *coded_size], np.float32)
    return np.stack(turned, axis=1).astype(np.float32) * scale


def _view(plane: av.video.plane.VideoPlane, bits: int) -> NDArray[Any]:
    dtype = np.dtype(np.uint8 if bits == 8 else "<u2")
    samples: NDArray[Any] = np.frombuffer(cast("memoryview[int]", plane), dtype)
    return samples.reshape(plane.height, plane.line_size // dtype.itemsize)[:, : plane.width]


def _chroma_shifts(form: av.VideoFormat) -> tuple[int, int]:
    if len(form.components) < 3:
        return 0, 0
    chroma = form.components[1]
    return _shift(form.width, chroma.width), _shift(form.height, chroma.height)


def _shift(luma_size: int, chroma_size: int) -> int:
    return next(shift for shift in range(5) if -(-luma_size >> shift) == chroma_size)


def _bgr(planes: PlaneSet, width: int, height: int) -> Picture:
    """OpenCV's I420 conversion: limited range, and only even sizes, so odd ones are made one larger and cut."""
    even_width, even_height = width + width % 2, height + height % 2
    luma = _resized(planes, 0, even_width, even_height)
    half_size = (even_width // 2, even_height // 2)
    chroma = [_resized(planes, i, *half_size).reshape(-1) for i in (1, 2)]
    i420 = np.concatenate([luma.reshape(-1), *chroma]).reshape(even_height * 3 // 2, even_width)
    picture = cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)
    return picture[:height, :width].astype(np.uint8, copy=False)


def _full_range_bgr(planes: PlaneSet, width: int, height: int) -> Picture:
    luma, blue, red = (_resized(planes, i, width, height) for i in range(3))
    return cv2.cvtColor(cv2.merge([luma, red, blue]), cv2.COLOR_YCrCb2BGR).astype(np.uint8, copy=False)


def _resized(planes: PlaneSet, number: int, width: int, height: int) -> Picture:
    """One plane at 8 bits; neutral chroma for grey video."""
    if number >= len(planes.planes) or (number and len(planes.planes) < 3):
        return np.full((height, width), 128, np.uint8)
    plane = planes.planes[number]
    # Halving by averaging has a fast path in OpenCV, and the rest, less than half, needs no filter: 2 to 4 times
    # faster than averaging in one step (1080p), with a mean difference under one grey level.
    while plane.shape[1] >= 2 * width and plane.shape[0] >= 2 * height:
        plane = cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA)
    small: NDArray[Any] = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
    return (small >> (planes.bit_depth - 8)).astype(np.uint8, copy=False)
