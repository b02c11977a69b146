"""PNG files (W3C PNG, third edition): their chunks, and writing samples in the depth that they had."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.errors import DamagedPictureError, UnsupportedFormatError
from anonflow.picture.icc import inflated

START = b"\x89PNG\r\n\x1a\n"
_KEPT_BEFORE_PALETTE = (b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI")
_KEPT_AFTER_PALETTE = (b"tRNS", b"bKGD", b"pHYs")
_LENGTHS = {b"cHRM": 32, b"gAMA": 4, b"sRGB": 1, b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"pHYs": 9}
_LENGTHS_BY_KIND = {
    b"sBIT": {0: 1, 2: 3, 3: 3, 4: 2, 6: 4},
    b"bKGD": {0: 2, 2: 6, 3: 1, 4: 2, 6: 6},
    b"tRNS": {0: 2, 2: 6},
}
"""Bytes of chunks, by the type of colour where it matters; what is longer could hold anything."""
_PROFILE_NAME = b"ICC profile"
_STRUCTURE = (b"IHDR", b"IDAT", b"IEND", b"eXIf")
_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_INDEXED = 3
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_XMP_KEYWORD = "XML:com.adobe.xmp"
_RAW_PROFILE = "raw profile type"
_MAX_KEYWORD_BYTES = 79
_LEVEL, _STRIP_SAMPLES = 6, 1 << 20
RAW_PROFILE = "raw profile"
"""Label of texts in which ImageMagick and others keep whole blocks of Exif, XMP and IPTC."""
MALFORMED_TEXT = "text.(malformed)"
"""Label of texts without a keyword, of which nothing can be told but what they say."""


@dataclass(frozen=True)
class Chunk:
    """A chunk; its checksum is checked when it is read and made when it is written."""

    name: bytes
    data: bytes

    def to_bytes(self) -> bytes:
        """As it stands in a file."""
        checksum = zlib.crc32(self.name + self.data)
        return struct.pack(">I", len(self.data)) + self.name + self.data + struct.pack(">I", checksum)

    @property
    def label(self) -> str:
        """As policies and reports name it: `text.Author`, `png.tIME`."""
        if self.name not in _TEXTS:
            return f"png.{self.name.decode('latin-1')}"
        start, end, _ = self.data.partition(b"\0")
        keyword = start.decode("latin-1")
        if keyword == _XMP_KEYWORD:
            return "xmp"
        if keyword.lower().startswith(_RAW_PROFILE):
            return RAW_PROFILE
        is_name = end and 0 < len(start) <= _MAX_KEYWORD_BYTES and keyword.isprintable()
        return f"text.{keyword}" if is_name else MALFORMED_TEXT


@dataclass(frozen=True, eq=False)
class PngFile:
    """A PNG file as its chunks, up to its end."""

    chunks: tuple[Chunk, ...]
    n_bytes_after: int

    @classmethod
    def parse(cls, data: bytes) -> PngFile:
        """Split a file.

        Raises:
            DamagedPictureError: it ends too early or a checksum is wrong.
            UnsupportedFormatError: it is animated.
        """
        chunks: list[Chunk] = []
        position = len(START)
        while not chunks or chunks[-1].name != b"IEND":
            if position + 12 > len(data):
                raise DamagedPictureError("The PNG file is truncated. Copy it again from where it came.")
            (length,) = struct.unpack_from(">I", data, position)
            end = position + 12 + length
            if end > len(data):
                raise DamagedPictureError("The PNG file is truncated. Copy it again from where it came.")
            chunk = Chunk(data[position + 4 : position + 8], data[position + 8 : end - 4])
            if zlib.crc32(chunk.name + chunk.data) != int.from_bytes(data[end - 4 : end], "big"):
                raise DamagedPictureError("The PNG file is corrupt (a checksum is wrong). Copy it again.")
            chunks.append(chunk)
            position = end
        parsed = cls(tuple(chunks), len(data) - position)
        parsed._require_supported()
        return parsed

    @cached_property
    def header(self) -> tuple[int, int, int, int]:
        """Width, height, bits a sample, and the type of colour."""
        width, height, depth, kind = struct.unpack_from(">IIBB", self.chunks[0].data)
        return width, height, depth, kind

    @property
    def n_channels(self) -> int:
        """Samples a pixel."""
        return _CHANNELS[self.header[3]]

    def first(self, name: bytes) -> bytes:
        """The content of the first chunk of that name; empty if there is none."""
        return next((chunk.data for chunk in self.chunks if chunk.name == name), b"")

    @cached_property
    def kept(self) -> tuple[Chunk, ...]:
        """The chunks that say how the picture is shown, the first of each name; profiles under one name."""
        firsts = {chunk.name: chunk for chunk in reversed(self.chunks) if self._says_how_it_is_shown(chunk)}
        in_order = (chunk for chunk in self.chunks if firsts.get(chunk.name) is chunk)
        return tuple(_with_profile(c, _profile(c)) if c.name == b"iCCP" else c for c in in_order)

    @property
    def others(self) -> tuple[Chunk, ...]:
        """The chunks that are neither picture, nor how it is shown, nor Exif; those of a wrong length too."""
        return tuple(c for c in self.chunks if c.name not in _STRUCTURE and not self._says_how_it_is_shown(c))

    def _says_how_it_is_shown(self, chunk: Chunk) -> bool:
        name, kind = chunk.name, self.header[3]
        if name == b"iCCP":
            return bool(_profile(chunk))
        if name == b"PLTE" or (name == b"tRNS" and kind == _INDEXED):
            return kind == _INDEXED
        wanted = _LENGTHS.get(name) or _LENGTHS_BY_KIND.get(name, {}).get(kind)
        return len(chunk.data) == wanted

    def core(self) -> bytes:
        """The picture alone, for decoders, which give up at large texts and some broken profiles."""
        return START + b"".join(chunk.to_bytes() for chunk in self.chunks if chunk.name in _PICTURE)

    def with_samples(self, samples: NDArray[Any], exif: bytes, texts: Sequence[Chunk]) -> bytes:
        """A file with other samples (h, w, channels), in this one's depth and type of colour, not interlaced."""
        width, height, depth, kind = self.header
        header = Chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
        before = [c for c in self.kept if c.name in _KEPT_BEFORE_PALETTE]
        after = [c for c in self.kept if c.name in _KEPT_AFTER_PALETTE]
        palette = [c for c in self.kept if c.name == b"PLTE"]
        extra = [Chunk(b"eXIf", exif)] if exif else []
        content = Chunk(b"IDAT", _compressed(samples, depth, is_indexed=kind == _INDEXED))
        parts = [header, *before, *palette, *after, *extra, *texts, content, Chunk(b"IEND", b"")]
        return START + b"".join(chunk.to_bytes() for chunk in parts)

    def _require_palette(self) -> None:
        """Of indexed pictures; all decoders must see the same colours, and the same of them transparent."""
        depth, kind = self.header[2:]
        palettes = [c.data for c in self.chunks if c.name == b"PLTE"]
        clear = [c.data for c in self.chunks if c.name == b"tRNS"]
        is_wrong = len(clear) > 1 or (kind in _LENGTHS_BY_KIND[b"tRNS"] and len(clear[:1]) != len(self._clear()))
        if kind == _INDEXED:
            n_colours = len(palettes[0]) // 3 if palettes else 0
            is_wrong |= len(palettes) != 1 or len(palettes[0]) % 3 != 0 or not 0 < n_colours <= 1 << depth
            is_wrong |= any(len(alphas) > n_colours for alphas in clear)
        if is_wrong:
            raise DamagedPictureError("The PNG palette is damaged. Copy the file again from where it came.")

    def _clear(self) -> list[bytes]:
        return [c.data for c in self.kept if c.name == b"tRNS"]

    def _require_supported(self) -> None:
        first = self.chunks[0]
        if first.name != b"IHDR" or len(first.data) != 13 or not self.first(b"IDAT"):
            raise DamagedPictureError("The PNG file has no picture in it. Copy it again from where it came.")
        width, height, _, kind = self.header
        if kind not in _CHANNELS or not (width and height):
            raise DamagedPictureError("The PNG header is damaged. Copy the file again from where it came.")
        self._require_palette()
        if self.first(b"acTL") or any(chunk.name == b"fdAT" for chunk in self.chunks):
            raise UnsupportedFormatError("Animated PNG is not masked: convert it to a video and run again.")


def _profile(chunk: Chunk) -> bytes:
    """Of an iCCP chunk: a name, a zero, the method 0, and the profile."""
    name, _, rest = chunk.data.partition(b"\0")
    return inflated(rest[1:]) if len(name) <= _MAX_KEYWORD_BYTES and rest[:1] == b"\0" else b""


def _with_profile(chunk: Chunk, profile: bytes) -> Chunk:
    return Chunk(chunk.name, _PROFILE_NAME + b"\0\0" + zlib.compress(profile))


def _compressed(samples: NDArray[Any], depth: int, *, is_indexed: bool) -> bytes:
    """Rows of bytes, each after its filter's number, compressed in strips, so that little memory is needed."""
    compressor = zlib.compressobj(_LEVEL)
    n_rows = max(1, _STRIP_SAMPLES // samples[0].size)
    previous: NDArray[np.uint8] | None = None
    parts = []
    for start in range(0, len(samples), n_rows):
        rows, step = _bytes_of(samples[start : start + n_rows], depth)
        if is_indexed or depth < 8:
            filtered = np.pad(rows, ((0, 0), (1, 0)))
        else:
            filtered = _filtered(rows, np.zeros_like(rows[0]) if previous is None else previous, step)
        previous = rows[-1]
        parts.append(compressor.compress(filtered.tobytes()))
    return b"".join((*parts, compressor.flush()))


def _filtered(rows: NDArray[np.uint8], previous: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Rows after the row `previous`, with the filter whose residual is smallest (PNG, section 12.7)."""
    left, above = np.zeros_like(rows), np.concatenate((previous[None], rows[:-1]))
    left[:, step:] = rows[:, :-step]
    corner = np.zeros_like(rows)
    corner[:, step:] = above[:, :-step]
    best = rows.copy()
    cost = _cost(rows)
    numbers = np.zeros(len(rows), np.uint8)
    for number, guess in enumerate((left, above, _mean(left, above), _paeth(left, above, corner)), start=1):
        residual = rows - guess
        its_cost = _cost(residual)
        better = its_cost < cost
        best[better], numbers[better] = residual[better], number
        cost = np.minimum(cost, its_cost)
    return np.concatenate((numbers[:, None], best), axis=1)


def _bytes_of(samples: NDArray[Any], depth: int) -> tuple[NDArray[np.uint8], int]:
    """The samples as rows of bytes, and the bytes from one pixel to the next (at least 1)."""
    height, width, channels = samples.shape
    if depth == 16:
        return samples.astype(">u2").view(np.uint8).reshape(height, -1), 2 * channels
    if depth == 8:
        return samples.astype(np.uint8).reshape(height, -1), channels
    bits = np.unpackbits(samples.astype(np.uint8).reshape(height, width, 1), axis=2)[:, :, 8 - depth :]
    return np.packbits(bits.reshape(height, -1), axis=1), 1


def _cost(residual: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.asarray(np.abs(residual.view(np.int8).astype(np.int16)).sum(axis=1, dtype=np.int64))


def _mean(left: NDArray[np.uint8], above: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return ((left.astype(np.uint16) + above) // 2).astype(np.uint8)


def _paeth(left: NDArray[np.uint8], above: NDArray[np.uint8], corner: NDArray[np.uint8]) -> NDArray[np.uint8]:
    a, b, c = (part.astype(np.int16) for part in (left, above, corner))
    to_left, to_above, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    is_left = (to_left <= to_above) & (to_left <= to_corner)
    return np.where(is_left, left, np.where(to_above <= to_corner, above, corner)).astype(np.uint8)
