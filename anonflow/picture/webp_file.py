"""WebP files (RFC 9649): the parts of their container."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from anonflow.errors import DamagedPictureError, UnsupportedFormatError
from anonflow.picture.icc import BROKEN, cleaned

_PICTURE = (b"VP8 ", b"VP8L", b"ALPH")
_ICC_FLAG, _ALPHA_FLAG, _EXIF_FLAG, _ANIMATED_FLAG = 0x20, 0x10, 0x08, 0x02
_HEADER_BYTES = 8
_VP8L_ALPHA = 0x10
"""In the fifth byte, after the signature and two sides of 14 bits (RFC 9649, 3.4)."""


@dataclass(frozen=True, eq=False)
class WebpFile:
    """A WebP file as its parts, name and content, in order."""

    parts: tuple[tuple[bytes, bytes], ...]
    n_bytes_after: int

    @classmethod
    def parse(cls, data: bytes) -> WebpFile:
        """Split a file.

        Raises:
            DamagedPictureError: it ends too early or has no picture.
            UnsupportedFormatError: it is animated.
        """
        end = _HEADER_BYTES + int.from_bytes(data[4:8], "little")
        if end > len(data):
            raise DamagedPictureError("The WebP file is truncated. Copy it again from where it came.")
        parts: list[tuple[bytes, bytes]] = []
        position = _HEADER_BYTES + 4
        while position + _HEADER_BYTES <= end:
            name, length = struct.unpack_from("<4sI", data, position)
            start = position + _HEADER_BYTES
            if start + length > end:
                raise DamagedPictureError("The WebP file is corrupt. Copy it again from where it came.")
            parts.append((name, data[start : start + length]))
            position = start + length + length % 2
        names = [name for name, _ in parts]
        if b"ANIM" in names or b"ANMF" in names:
            raise UnsupportedFormatError("Animated WebP is not masked: convert it to a video and run again.")
        if names.count(b"VP8 ") + names.count(b"VP8L") != 1 or names.count(b"ALPH") > 1:
            raise DamagedPictureError("The WebP file has no picture in it, or several. Copy it again.")
        return cls(tuple(parts), len(data) - end)

    @property
    def is_lossless(self) -> bool:
        """Whether the picture is stored without loss."""
        return any(name == b"VP8L" for name, _ in self.parts)

    @property
    def announces_alpha(self) -> bool:
        """Whether decoders give a channel of transparency, be it opaque."""
        header = self.first(b"VP8X")
        lossless = self.first(b"VP8L")[:5].ljust(5, b"\0")
        return bool(header[:1] and header[0] & _ALPHA_FLAG) or bool(lossless[4] & _VP8L_ALPHA)

    def first(self, name: bytes) -> bytes:
        """The content of the first part of that name; empty if there is none."""
        return next((content for its_name, content in self.parts if its_name == name), b"")

    @property
    def others(self) -> tuple[str, ...]:
        """Names of what is neither picture, nor how it is shown, nor Exif; each once, sorted."""
        known = {b"VP8X", b"ICCP", b"EXIF", *_PICTURE}
        found = {
            "xmp" if name == b"XMP " else f"webp.{name.decode('latin-1').strip()}"
            for name, _ in self.parts
            if name not in known
        }
        has_broken = self.first(b"ICCP") and not self.colour_profile
        extra = {
            name for name, is_there in (("appended data", self.n_bytes_after), (BROKEN, has_broken)) if is_there
        }
        return tuple(sorted(found | extra))

    @property
    def colour_profile(self) -> bytes:
        """The ICC profile; empty if there is none, or something else in its place."""
        return cleaned(self.first(b"ICCP"))

    def replaced(self, name: bytes, content: bytes) -> WebpFile:
        """With other content in the part of that name; without that part if the content is empty."""
        parts = tuple((n, content if n == name else old) for n, old in self.parts if n != name or content)
        return WebpFile(parts, self.n_bytes_after)

    def with_picture_of(self, other: WebpFile, size: tuple[int, int], exif: bytes) -> bytes:
        """A file of the picture of `other` (width, height), with this one's colour profile and that Exif block."""
        picture = [(name, content) for name, content in other.parts if name in _PICTURE]
        profile = self.colour_profile
        flags = _ALPHA_FLAG if self.announces_alpha or other.announces_alpha else 0
        flags |= (_ICC_FLAG if profile else 0) | (_EXIF_FLAG if exif else 0)
        if any(name == b"ALPH" for name, _ in picture):
            flags |= _ALPHA_FLAG
        if not flags:
            return _file(picture)
        sides = b"".join(struct.pack("<I", side - 1)[:3] for side in size)
        parts = [(b"VP8X", bytes((flags, 0, 0, 0)) + sides)]
        parts += [(b"ICCP", profile)] if profile else []
        parts += picture
        parts += [(b"EXIF", exif)] if exif else []
        return _file(parts)


def _file(parts: Sequence[tuple[bytes, bytes]]) -> bytes:
    content = b"WEBP" + b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in parts
    )
    return b"RIFF" + struct.pack("<I", len(content)) + content
