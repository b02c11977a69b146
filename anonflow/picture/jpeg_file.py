"""The markers of a JPEG file (ITU-T T.81, annex B): what is picture, what is metadata, what must not be there.

Nothing is decoded here. What comes after the end of the picture (previews, other pictures, videos) is left out.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from anonflow.errors import DamagedPictureError, UnsupportedFormatError
from anonflow.picture import exif
from anonflow.picture.icc import BROKEN, cleaned

START = b"\xff\xd8"
_END, _SCAN, _TABLES, _HUFFMAN, _RESTART, _COMMENT, _LINES = 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE, 0xDC
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_APP0, _APP1, _APP2, _APP13, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF
_PICTURE_MARKERS = {_SCAN, _TABLES, _HUFFMAN, _RESTART, *_FRAMES}
_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_JFIF, _ADOBE, _ICC = b"JFIF\0", b"Adobe", b"ICC_PROFILE\0"
_PROFILE_BYTES = 65519
_JFIF_BYTES, _ADOBE_BYTES, _TABLE_VALUES = 14, 12, 64


@dataclass(frozen=True)
class Segment:
    """A marker with its payload; of a scan, `data` are the entropy-coded bytes that follow."""

    marker: int
    payload: bytes
    data: bytes = b""

    def to_bytes(self) -> bytes:
        """As it stands in a file."""
        return struct.pack(">BBH", 0xFF, self.marker, len(self.payload) + 2) + self.payload + self.data


@dataclass(frozen=True)
class Component:
    """One colour component of the frame: its number in the file, its sampling factors, its quantisation table."""

    number: int
    sampling_x: int
    sampling_y: int
    table: int


@dataclass(frozen=True)
class Frame:
    """The frame header."""

    is_progressive: bool
    width: int
    height: int
    components: tuple[Component, ...]

    def shifts(self, component: int) -> tuple[int, int]:
        """By how many powers of two a component is smaller than the picture; raises where it is none."""
        if len(self.components) == 1:
            return 0, 0
        own = self.components[component]
        ratios = [
            max(c.sampling_x for c in self.components) / own.sampling_x,
            max(c.sampling_y for c in self.components) / own.sampling_y,
        ]
        if any(ratio not in (1, 2, 4) for ratio in ratios):
            raise UnsupportedFormatError("JPEG with unusual chroma subsampling: save it as 4:2:0 or 4:4:4.")
        return int(ratios[0]).bit_length() - 1, int(ratios[1]).bit_length() - 1

    def blocks(self, component: int) -> tuple[int, int]:
        """(rows, columns) of 8x8 blocks of a component, as libjpeg counts them: those of the last MCU aside."""
        own = self.components[component]
        widest = max(c.sampling_x for c in self.components)
        highest = max(c.sampling_y for c in self.components)
        return -(-self.height * own.sampling_y // (8 * highest)), -(-self.width * own.sampling_x // (8 * widest))


@dataclass(frozen=True, eq=False)
class JpegFile:
    """A JPEG file as its segments, up to the end of the picture."""

    segments: tuple[Segment, ...]
    n_bytes_after: int

    @classmethod
    def parse(cls, data: bytes) -> JpegFile:
        """Split a file.

        Raises:
            DamagedPictureError: it ends too early, or something that is no marker stands where one must be.
            UnsupportedFormatError: lossless, arithmetic, hierarchical or 12-bit JPEG, or of unknown height.
        """
        segments: list[Segment] = []
        position = len(START)
        while True:
            marker, position = _marker_at(data, position)
            if marker == _END:
                break
            payload = _payload_at(data, position)
            position += 2 + len(payload)
            following = position
            if marker == _SCAN:
                found = _AFTER_SCAN.search(data, position)
                if found is None:
                    raise _truncated()
                following = found.start()
            segments.append(Segment(marker, payload, data[position:following]))
            position = following
        parsed = cls(tuple(segments), len(data) - position)
        parsed._require_supported()
        return parsed

    @cached_property
    def frame(self) -> Frame:
        """The frame header."""
        (header,) = [s for s in self.segments if s.marker in _FRAMES]
        _, height, width, n = struct.unpack_from(">BHHB", header.payload)
        parts = struct.iter_unpack("BBB", header.payload[6 : 6 + 3 * n])
        components = tuple(Component(number, factors >> 4, factors & 15, table) for number, factors, table in parts)
        return Frame(header.marker == _PROGRESSIVE, width, height, components)

    @cached_property
    def colour_model(self) -> str:
        """`grey`, `YCbCr`, `RGB`, `CMYK` or `YCCK`, told apart as libjpeg does."""
        adobe = next((s.payload for s in self.segments if _is_adobe(s)), None)
        transform = adobe[11] if adobe else None
        n = len(self.frame.components)
        if n == 1:
            return "grey"
        if n == 4:
            return "YCCK" if transform == 2 else "CMYK"
        if any(_is_jfif(s) for s in self.segments):
            return "YCbCr"
        if transform is not None:
            return "RGB" if transform == 0 else "YCbCr"
        return "RGB" if bytes(c.number for c in self.frame.components) == b"RGB" else "YCbCr"

    @property
    def exif(self) -> bytes:
        """The first Exif block; empty if there is none."""
        return next((s.payload for s in self.segments if _is_exif(s)), b"")

    @property
    def colour_profile(self) -> bytes:
        """The ICC profile, put together; empty if there is none, or something else in its place."""
        parts = sorted(s.payload[len(_ICC) :] for s in self.segments if _is_icc(s))
        wanted = [bytes((n + 1, len(parts) & 255)) for n in range(min(len(parts), 255))]
        is_whole = [part[:2] for part in parts] == wanted
        return cleaned(b"".join(part[2:] for part in parts)) if is_whole else b""

    @property
    def density(self) -> bytes:
        """Unit and resolution of the JFIF header; empty if there is none."""
        return next((s.payload[7:12] for s in self.segments if _is_jfif(s)), b"")

    @property
    def tables(self) -> tuple[bytes, ...]:
        """The quantisation table of each component, as bytes of the file."""
        found: dict[int, bytes] = {}
        for payload in (s.payload for s in self.segments if s.marker == _TABLES):
            position = 0
            while position < len(payload):
                length = 1 + (_TABLE_VALUES << (payload[position] >> 4 & 1))
                found[payload[position] & 15] = payload[position : position + length]
                position += length
        return tuple(found.get(component.table, b"") for component in self.frame.components)

    @property
    def others(self) -> tuple[str, ...]:
        """Names of what is neither picture, nor how it is shown, nor Exif; each once, sorted."""
        found = {_name(s) for s in self.segments if s.marker not in _PICTURE_MARKERS} - {""}
        has_broken = any(_is_icc(s) for s in self.segments) and not self.colour_profile
        extra = {
            name for name, is_there in (("appended data", self.n_bytes_after), (BROKEN, has_broken)) if is_there
        }
        return tuple(sorted(found | extra))

    @property
    def comments(self) -> tuple[bytes, ...]:
        """The comments."""
        return tuple(s.payload for s in self.segments if s.marker == _COMMENT)

    def core(self) -> bytes:
        """The picture alone, with nothing of what is about it."""
        return _file([s for s in self.segments if s.marker in _PICTURE_MARKERS])

    def with_picture_of(self, other: JpegFile, exif_block: bytes, comments: Sequence[bytes]) -> bytes:
        """A file of the picture of `other`, shown as this one is, with that Exif block and those comments."""
        head = [Segment(s.marker, s.payload[:12] + b"\0\0") for s in self.segments if _is_jfif(s)][:1]
        if exif_block:
            head.append(Segment(_APP1, exif.PREFIX + exif_block))
        head += _profile_segments(self.colour_profile)
        head += [Segment(_APP14, s.payload[:_ADOBE_BYTES]) for s in self.segments if _is_adobe(s)][:1]
        head += [Segment(_COMMENT, comment) for comment in comments]
        return _file([*head, *(s for s in other.segments if s.marker in _PICTURE_MARKERS)])

    def _require_supported(self) -> None:
        frames = [s for s in self.segments if s.marker in _FRAMES]
        scans = [n for n, s in enumerate(self.segments) if s.marker == _SCAN]
        if len(frames) != 1 or not scans or self.segments.index(frames[0]) > scans[0]:
            raise DamagedPictureError("The JPEG file has no picture in it, or several. Copy it again.")
        payload = frames[0].payload
        if len(payload) < 6 or len(payload) < 6 + 3 * payload[5] or any(s == 0 for s in _samplings(payload)):
            raise DamagedPictureError("The JPEG frame header is damaged. Copy the file again from its source.")
        known = frames[0].marker in (_BASELINE, _EXTENDED, _PROGRESSIVE)
        if not known or payload[0] != 8 or payload[5] not in (1, 3, 4):
            raise UnsupportedFormatError(
                "Lossless, arithmetic, hierarchical and 12-bit JPEG, and those of 2 or more than 4 components, "
                "cannot be masked: convert the picture to PNG."
            )
        late = any(s.marker == _TABLES for s in self.segments[scans[0] :])
        if late or any(s.marker == _LINES for s in self.segments) or not (self.frame.width and self.frame.height):
            raise UnsupportedFormatError(
                "JPEG that tells its size or its tables too late cannot be masked: save it again."
            )


def _samplings(payload: bytes) -> list[int]:
    factors = payload[7 : 6 + 3 * payload[5] : 3]
    return [part for factor in factors for part in (factor >> 4, factor & 15)]


def _marker_at(data: bytes, position: int) -> tuple[int, int]:
    if position + 1 >= len(data):
        raise _truncated()
    if data[position] != 0xFF:
        raise DamagedPictureError("The JPEG file is corrupt: a marker is missing. Copy it again from its source.")
    while position < len(data) and data[position] == 0xFF:  # fill bytes
        position += 1
    if position >= len(data):
        raise _truncated()
    return data[position], position + 1


def _payload_at(data: bytes, position: int) -> bytes:
    length = int.from_bytes(data[position : position + 2], "big")
    if length < 2 or position + length > len(data):
        raise _truncated()
    return data[position + 2 : position + length]


def _truncated() -> DamagedPictureError:
    return DamagedPictureError("The JPEG file is truncated. Copy it again from where it came.")


def _file(segments: Sequence[Segment]) -> bytes:
    return b"".join([START, *(s.to_bytes() for s in segments), bytes((0xFF, _END))])


def _is_jfif(segment: Segment) -> bool:
    is_long = len(segment.payload) >= _JFIF_BYTES
    return segment.marker == _APP0 and is_long and segment.payload.startswith(_JFIF)


def _is_adobe(segment: Segment) -> bool:
    is_long = len(segment.payload) >= _ADOBE_BYTES
    return segment.marker == _APP14 and is_long and segment.payload.startswith(_ADOBE)


def _is_icc(segment: Segment) -> bool:
    return segment.marker == _APP2 and segment.payload.startswith(_ICC)


def _is_exif(segment: Segment) -> bool:
    return segment.marker == _APP1 and segment.payload.startswith(exif.PREFIX)


_STARTS = (
    (_APP0, b"JFXX", exif.THUMBNAIL),
    (_APP1, b"http://ns.adobe.com/x", "xmp"),
    (_APP2, b"MPF", "mpf"),
    (_APP13, b"", "iptc"),
    (_COMMENT, b"", "comment"),
)


def _profile_segments(profile: bytes) -> list[Segment]:
    """In as many as are needed, each with its number and how many there are (ICC.1:2022, B.4)."""
    starts = range(0, len(profile), _PROFILE_BYTES)
    return [
        Segment(_APP2, _ICC + bytes((n, len(starts))) + profile[start : start + _PROFILE_BYTES])
        for n, start in enumerate(starts, start=1)
    ]


def _name(segment: Segment) -> str:
    """The name of a segment of metadata, `""` for those that say how the picture is shown and for Exif."""
    if _is_jfif(segment):
        return exif.THUMBNAIL if len(segment.payload) > _JFIF_BYTES else ""
    if _is_adobe(segment) or _is_icc(segment) or _is_exif(segment):
        return ""
    for marker, start, name in _STARTS:
        if segment.marker == marker and segment.payload.startswith(start):
            return name
    is_app = _APP0 <= segment.marker <= _APP15
    return f"app{segment.marker - _APP0}" if is_app else f"marker 0x{segment.marker:02x}"
