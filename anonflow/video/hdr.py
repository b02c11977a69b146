"""HDR10 data of a stream: read from its first frame, and written in the words of each encoder."""

from __future__ import annotations

import struct
from typing import Any

import av

from anonflow.types import StreamFormat

_CHROMATICITY_STEPS = 50_000
_LUMINANCE_STEPS = 10_000
_GBR = (2, 4, 0)
"""Where green, blue and red begin among the numbers; the order that the encoders want."""


def mastering_display(frame: av.VideoFrame) -> tuple[int, ...] | None:
    """SMPTE ST 2086 colour volume, in the integer units of H.264 and H.265 (D.2.29, D.2.28); None without one.

    Half of one counts as none: neither player nor encoder can use it.
    """
    found: Any = frame.side_data.get("MASTERING_DISPLAY_METADATA")
    if found is None:
        return None
    # AVMasteringDisplayMetadata: 8 rationals of colour, smallest and largest luminance, and which of both are set.
    *parts, has_primaries, has_luminance = struct.unpack("=22i", bytes(found)[:88])
    if not (has_primaries and has_luminance):
        return None
    values = [(number, max(1, per)) for number, per in zip(parts[::2], parts[1::2], strict=True)]
    colour = [round(number * _CHROMATICITY_STEPS / per) for number, per in values[:8]]
    darkest, brightest = (round(number * _LUMINANCE_STEPS / per) for number, per in values[8:])
    return (*colour, brightest, darkest)


def content_light(frame: av.VideoFrame) -> tuple[int, int] | None:
    """CTA-861.3 content light levels, maximum and frame average in cd/m2; None without them."""
    found: Any = frame.side_data.get("CONTENT_LIGHT_LEVEL")
    if found is None:
        return None
    levels = struct.unpack("=2I", bytes(found)[:8])
    return (levels[0], levels[1])


def x264_params(form: StreamFormat) -> list[str]:
    """Parameters of x264."""
    return _params(form, "mastering-display", "cll")


def x265_params(form: StreamFormat) -> list[str]:
    """Parameters of x265."""
    params = _params(form, "master-display", "max-cll")
    return ["hdr10=1", *params] if params else []


def svtav1_params(form: StreamFormat) -> list[str]:
    """Parameters of SVT-AV1, which wants decimal fractions."""
    params = []
    if form.mastering_display:
        *colour, brightest, darkest = form.mastering_display
        decimal = [f"{value / _CHROMATICITY_STEPS:.5f}" for value in colour]
        luminance = f"L({brightest / _LUMINANCE_STEPS:.4f},{darkest / _LUMINANCE_STEPS:.4f})"
        params.append(f"mastering-display={_colours(decimal)}{luminance}")
    if form.content_light:
        params.append("content-light={},{}".format(*form.content_light))
    return params


def _params(form: StreamFormat, display: str, light: str) -> list[str]:
    params = []
    if form.mastering_display:
        *colour, brightest, darkest = form.mastering_display
        params.append(f"{display}={_colours([str(value) for value in colour])}L({brightest},{darkest})")
    if form.content_light:
        params.append("{}={},{}".format(light, *form.content_light))
    return params


def _colours(values: list[str]) -> str:
    primaries = (f"{name}({values[at]},{values[at + 1]})" for name, at in zip(("G", "B", "R"), _GBR, strict=True))
    return "".join(primaries) + f"WP({values[6]},{values[7]})"
