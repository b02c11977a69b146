"""What a decoder says of the picture: size, rotation, pixel aspect, pixel format, colour, field order."""

from __future__ import annotations

from fractions import Fraction

from anonflow.types import Check, StreamFormat
from anonflow.video.contract.check import check

_UNSPECIFIED_RANGE, _LIMITED_RANGE, _FULL_RANGE = 0, 1, 2


def compare_picture(source: StreamFormat, result: StreamFormat) -> tuple[Check, ...]:
    """Everything that a player needs to show the picture as it was."""
    sizes = [(form.width, form.height) for form in (source, result)]
    rotations = [form.rotation_deg % 360 for form in (source, result)]
    aspects = [form.sample_aspect_ratio or Fraction(1) for form in (source, result)]
    formats = [form.pixel_format.replace("yuvj", "yuv") for form in (source, result)]
    return (
        check("size", sizes[0] == sizes[1], "{}x{}".format(*sizes[1])),
        check("rotation", rotations[0] == rotations[1], f"{rotations[1]} degrees"),
        check("pixel aspect", aspects[0] == aspects[1], str(aspects[1])),
        check("pixel format", formats[0] == formats[1], f"{formats[0]} and {formats[1]}"),
        check("colour tags", _colour_tags(source) == _colour_tags(result)),
        check("field order", source.field_order == result.field_order, result.field_order),
    )


def _colour_tags(form: StreamFormat) -> tuple[int, ...]:
    """An unspecified range means the limited one, which is what AV1 writes for it; `yuvj` means the full one."""
    color_range = form.color_range
    if form.pixel_format.startswith("yuvj"):
        color_range = _FULL_RANGE
    elif color_range == _UNSPECIFIED_RANGE:
        color_range = _LIMITED_RANGE
    return color_range, form.color_primaries, form.color_transfer, form.color_matrix
