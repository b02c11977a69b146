"""How a TIFF file says that its samples are stored (TIFF 6.0), and which of that is read and written as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from anonflow.errors import UnsupportedFormatError

_BITS, _PHOTOMETRIC, _EXTRA, _FORMAT = 258, 262, 338, 339
_BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK = 1, 2, 3, 5
_AS_SHOWN = {0: _BLACK_IS_ZERO, 6: _RGB}
"""White as zero is turned around when it is read, and YCbCr becomes RGB."""


@dataclass(frozen=True)
class SampleTags:
    """BitsPerSample, PhotometricInterpretation and ExtraSamples, as they are in the file."""

    bits: tuple[int, ...]
    photometric: int
    extra: tuple[int, ...]

    @classmethod
    def of(cls, tags: Any) -> SampleTags:
        """From the tags of the first directory by number.

        Raises:
            UnsupportedFormatError: the samples are not whole numbers without a sign.
        """
        if any(kind != 1 for kind in _numbers(tags.get(_FORMAT, 1))):
            raise UnsupportedFormatError("TIFF of signed or floating-point samples is not supported: use PNG.")
        (photometric, *_) = (*_numbers(tags.get(_PHOTOMETRIC, -1)), -1)
        return cls(_numbers(tags.get(_BITS, 1)), photometric, _numbers(tags.get(_EXTRA, ())))

    def __str__(self) -> str:
        """To compare a result with its source."""
        photometric = _AS_SHOWN.get(self.photometric, self.photometric)
        return f"bits {self.bits}, photometric {photometric}, extra {self.extra}"

    def require_exact(self, mode: str) -> None:
        """Raise UnsupportedFormatError unless Pillow's `mode` holds and writes these samples as they are."""
        if self not in _EXACT.get(mode, ()):
            raise UnsupportedFormatError(
                f"TIFF with bits {self.bits}, photometric {self.photometric} and extra {self.extra} "
                "is not supported, as its samples would change: convert it to PNG."
            )


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(map(int, value)) if isinstance(value, tuple) else (int(value),)


_EXACT = {
    "1": (SampleTags((1,), 0, ()), SampleTags((1,), 1, ())),
    "L": (SampleTags((8,), 0, ()), SampleTags((8,), 1, ())),
    "LA": (SampleTags((8, 8), 1, (2,)),),
    "P": (SampleTags((8,), _PALETTE, ()),),
    "RGB": (SampleTags((8, 8, 8), _RGB, ()), SampleTags((8, 8, 8), 6, ())),
    "RGBA": (SampleTags((8, 8, 8, 8), _RGB, (2,)),),
    "CMYK": (SampleTags((8, 8, 8, 8), _CMYK, ()),),
    "I;16": (SampleTags((16,), _BLACK_IS_ZERO, ()),),
    "I;16B": (SampleTags((16,), _BLACK_IS_ZERO, ()),),
}
"""By mode. Alpha that colours were multiplied with, samples of 2, 4 or 12 bits and 16 bits with white as zero would
come out as something else."""
