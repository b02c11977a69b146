"""The clean aperture of MP4 and MOV (`clap`, ISO/IEC 14496-12, 12.1.4): what players show of the coded picture.

FFmpeg keeps it as side data of the stream, where PyAV does not reach; so boxes are read here. Outputs have none:
an encoded stream cannot be given one, and a copied one must not differ from it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

from anonflow.storage import StoragePath, naming_source_errors

_WAY = (b"trak", b"mdia", b"minf", b"stbl")
_TABLE_BYTES = 8
"""Version, flags and number of entries before the entries of a sample description."""
_ENTRY_BYTES = 78
"""Of a visual sample entry, behind its size and name, before the boxes in it."""
_SIZE_AT = 24
_CLAP = struct.Struct(">IIIIiIiI")


@dataclass(frozen=True)
class Aperture:
    """The shown part of the picture, in pixels; offsets are those of its centre from the picture's."""

    width_px: Fraction
    height_px: Fraction
    right_px: Fraction
    down_px: Fraction

    def __str__(self) -> str:
        """For a report."""
        return f"{float(self.width_px):g}x{float(self.height_px):g}"


@dataclass(frozen=True)
class _Box:
    kind: bytes
    start: int
    """Of the payload."""
    stop: int


def read_aperture(path: StoragePath) -> Aperture | None:
    """The clean aperture of an MP4 or MOV; None without any, or if it is the whole picture."""
    with naming_source_errors(path), path.open("rb") as file:
        return next((found for _, found in _apertures(file) if found is not None), None)


def remove_apertures(path: Path) -> None:
    """Make free space of every clean aperture of an MP4 or MOV; nothing in the file moves."""
    with path.open("r+b") as file:
        for box, _ in list(_apertures(file)):
            file.seek(box.start - len(box.kind))
            file.write(b"free")


def _apertures(file: IO[bytes]) -> Iterator[tuple[_Box, Aperture | None]]:
    for entry in _entries(file):
        file.seek(entry.start)
        header = file.read(_ENTRY_BYTES)
        if len(header) < _ENTRY_BYTES:
            continue
        size = struct.unpack_from(">HH", header, _SIZE_AT)
        for box in _boxes(file, entry.start + _ENTRY_BYTES, entry.stop):
            if box.kind == b"clap" and box.stop - box.start >= _CLAP.size:
                file.seek(box.start)
                yield box, _aperture(_CLAP.unpack(file.read(_CLAP.size)), size)


def _aperture(values: tuple[int, ...], size: tuple[int, ...]) -> Aperture | None:
    parts = [Fraction(n, d or 1) for n, d in zip(values[::2], values[1::2], strict=True)]
    return None if parts == [*size, 0, 0] else Aperture(*parts)


def _entries(file: IO[bytes]) -> Iterator[_Box]:
    """The sample descriptions of all tracks."""
    level = [box for box in _boxes(file, 0, file.seek(0, 2)) if box.kind == b"moov"]
    for kind in _WAY:
        level = [inner for box in level for inner in _boxes(file, box.start, box.stop) if inner.kind == kind]
    for box in level:
        for table in _boxes(file, box.start, box.stop):
            if table.kind == b"stsd":
                yield from _boxes(file, table.start + _TABLE_BYTES, table.stop)


def _boxes(file: IO[bytes], start: int, stop: int) -> Iterator[_Box]:
    """The boxes between two places (14496-12, 4.2); up to the first that is none."""
    while start + 8 <= stop:
        file.seek(start)
        header = file.read(16)
        size, n_header = int.from_bytes(header[:4], "big"), 8
        if size == 1:
            size, n_header = int.from_bytes(header[8:], "big"), 16
        elif size == 0:
            size = stop - start
        if size < n_header or start + size > stop:
            return
        yield _Box(header[4:8], start + n_header, start + size)
        start += size
