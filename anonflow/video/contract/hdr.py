"""HDR10 data: mastering display and content light level."""

from __future__ import annotations

from anonflow.types import Check, StreamFormat
from anonflow.video.contract.check import check

_COLOUR_STEP = 1
"""AV1 counts colours in 1/65536, H.264 and H.265 in 1/50000."""
_BRIGHTEST_STEP = 20
"""AV1 counts the largest luminance in 1/256 cd/m2; half of that in 1/10000."""
_BRIGHTEST = 8


def compare_hdr(source: StreamFormat, result: StreamFormat) -> Check:
    """Equal as far as the codecs' own fractions allow."""
    displays = source.mastering_display, result.mastering_display
    same = source.content_light == result.content_light and _alike(*displays)
    named = [
        name for name, value in (("mastering display", displays[0]), ("light level", source.content_light)) if value
    ]
    return check("HDR10 data", same, ", ".join(named) or "none")


def _alike(a: tuple[int, ...] | None, b: tuple[int, ...] | None) -> bool:
    if a is None or b is None:
        return a is b
    return all(
        abs(x - y) <= (_BRIGHTEST_STEP if place == _BRIGHTEST else _COLOUR_STEP)
        for place, (x, y) in enumerate(zip(a, b, strict=True))
    )
