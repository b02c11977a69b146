"""A black picture in the place of a frame that must not be shown."""

from __future__ import annotations

import av

from anonflow.types import StreamFormat
from anonflow.video.planes import plane_set

_BLACK_LIMITED_RANGE, _NEUTRAL_CHROMA = 16, 128
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG


def black_frame(form: StreamFormat) -> av.VideoFrame:
    """A frame of the stream's size and format, black in all of its planes and opaque. It has no timestamp."""
    frame = av.VideoFrame(form.width, form.height, form.pixel_format)
    frame.color_range = form.color_range
    planes = plane_set(frame, writable=True)
    scale = 1 << (planes.bit_depth - 8)
    if frame.format.is_rgb:
        black, neutral = 0, 0
    else:
        black, neutral = 0 if planes.full_range else _BLACK_LIMITED_RANGE * scale, _NEUTRAL_CHROMA * scale
    has_alpha = len(planes.planes) in (2, 4)
    for number, plane in enumerate(planes.planes):
        if has_alpha and number == len(planes.planes) - 1:
            plane[:] = (1 << planes.bit_depth) - 1
        else:
            plane[:] = neutral if number else black
    frame.color_primaries, frame.color_trc = form.color_primaries, form.color_transfer
    frame.colorspace = form.color_matrix
    return frame
