"""Exif blocks: what they hold by name, and the small block of an output.

A block is a TIFF file in small: directories of tags. Nothing in it is trusted: every offset is checked.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from anonflow.errors import BrokenMetadataError

ORIENTATION = 274
PREFIX = b"Exif\0\0"
MAKER_NOTE = "makernote"
THUMBNAIL = "thumbnail"

_EXIF_DIRECTORY, _GPS_DIRECTORY, _INTEROP_DIRECTORY, _MAKER_NOTE_TAG = 0x8769, 0x8825, 0xA005, 0x927C
_COLOUR_SPACE = 0xA001
_DIRECTORIES = {_EXIF_DIRECTORY: "exif", _GPS_DIRECTORY: "gps", _INTEROP_DIRECTORY: "interop"}
_ALWAYS_KEPT = (ORIENTATION, 282, 283, 296)
"""Orientation, resolution in both directions and its unit: how the picture is shown and printed."""
_STRUCTURE = frozenset(
    (*range(254, 267), 273, *range(277, 282), 284, *range(288, 294), 297, 301, *range(317, 359), *range(512, 533))
) | frozenset((700, 33723, 34377, 34675, 37724, 50341))
"""Tags of a TIFF file that say how its picture is stored, and those that hold other blocks or pictures: XMP, IPTC,
Photoshop's, ICC (which goes its own way)."""
_DNG = range(50706, 53000)
_MAX_TAGS = 1000
_ENTRY_BYTES = 12
_INTEGERS = {1: "B", 3: "H", 4: "I"}


@dataclass(frozen=True)
class Tag:
    """An entry of a directory; `value` if it is one whole number."""

    directory: str
    number: int
    value: int | None
    is_outer: bool = True
    """Whether it lies in the first directory, of which alone viewers take how the picture is shown."""

    @property
    def name(self) -> str:
        """As policies and reports name it: `exif.Make`, `gps.GPSLatitude`."""
        if self.directory == THUMBNAIL:
            return THUMBNAIL
        if self.directory == "exif" and _is_of_makers(self.number):
            return MAKER_NOTE
        known = ExifTags.GPSTAGS if self.directory == "gps" else ExifTags.TAGS
        return f"{self.directory}.{known.get(self.number, f'0x{self.number:04x}')}"


def tags(block: bytes) -> tuple[Tag, ...]:
    """All tags of a block, without those that only lead to others; a thumbnail's directory is one tag.

    Raises:
        BrokenMetadataError: a directory lies outside of the block, or they form a loop.
    """
    try:
        return tuple(_tags(block.removeprefix(PREFIX)))
    except struct.error as error:
        raise BrokenMetadataError("The Exif data is cut off, so it cannot be told what is up.") from error


def names(found: tuple[Tag, ...]) -> tuple[str, ...]:
    """The names of what is more than how the picture is shown, each once, sorted."""
    return tuple(sorted({tag.name for tag in found if not _is_always_kept(tag)}))


def orientation(found: tuple[Tag, ...]) -> int:
    """1 to 8. 0, which some cameras write, counts as 1, as viewers have it."""
    for tag in found:
        if (tag.directory, tag.number, tag.is_outer) == ("exif", ORIENTATION, True):
            if tag.value is None or tag.value > 8:
                raise BrokenMetadataError("The Exif orientation is none of 1 to 8: it cannot be told what is up.")
            return tag.value or 1
    return 1


def reduced(block: bytes, is_kept: Callable[[str], bool]) -> bytes:
    """The block with what says how the picture is shown, and with what the policy keeps; empty if that is nothing.

    Maker notes and thumbnails are never kept. Without the prefix that JPEG wants.
    """
    if not block:
        return b""
    given = Image.Exif()
    with reading():
        given.load(PREFIX + block.removeprefix(PREFIX))
    given[ORIENTATION] = orientation(tags(block))  # as it counts, not as Pillow reads it
    return reduced_tags(given, is_kept)


def reduced_tags(given: Image.Exif, is_kept: Callable[[str], bool], *, is_tiff: bool = False) -> bytes:
    """`reduced` of tags that Pillow has read.

    Of a TIFF file without the orientation, which Pillow has applied, and without inner directories, which it cannot
    write into compressed files.
    """
    kept = Image.Exif()
    with reading():
        _copy(given, kept, "exif", is_kept)
        for number in () if is_tiff else (_EXIF_DIRECTORY, _GPS_DIRECTORY):
            inner: dict[int, Any] = {}
            _copy(given.get_ifd(number), inner, _DIRECTORIES[number], is_kept, is_outer=False)
            if inner:
                kept.get_ifd(number).update(inner)
                kept[number] = kept.get_ifd(number)
        if is_tiff or kept.get(ORIENTATION, 1) not in range(2, 9):
            kept.pop(ORIENTATION, None)
        return kept.tobytes().removeprefix(PREFIX) if len(kept) else b""


@contextmanager
def reading() -> Iterator[None]:
    """Turn every error of the block into BrokenMetadataError, without warnings.

    Pillow raises many kinds of errors for what is broken, and warns of values that it then leaves out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except Exception as error:
            raise BrokenMetadataError("The Exif data cannot be read. Repair it, or remove it.") from error


def _copy(
    source: Any, target: Any, directory: str, is_kept: Callable[[str], bool], *, is_outer: bool = True
) -> None:
    for number, value in dict(source).items():
        tag = Tag(directory, number, None, is_outer)
        if number in _DIRECTORIES or number in _STRUCTURE or tag.name == MAKER_NOTE:
            continue
        if _is_always_kept(tag) or is_kept(tag.name):
            target[number] = value


def is_about_storage(number: int) -> bool:
    """Whether a tag of a TIFF file says how its picture is stored, or holds another block or picture."""
    return number in _STRUCTURE


def _is_always_kept(tag: Tag) -> bool:
    if tag.directory != "exif":
        return False
    return tag.number == _COLOUR_SPACE or (tag.is_outer and tag.number in _ALWAYS_KEPT)


def _is_of_makers(number: int) -> bool:
    """Maker notes, what DNG keeps of cameras (their notes, the raw file, previews), and what nobody knows."""
    return number == _MAKER_NOTE_TAG or number in _DNG or number not in ExifTags.TAGS


def _tags(block: bytes) -> Iterator[Tag]:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        raise BrokenMetadataError("The Exif data has no valid header, so it cannot be told what is up.")
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    waiting, seen, n_tags = [("exif", start)], set[int](), 0
    while waiting:
        directory, start = waiting.pop(0)
        if start in seen:
            raise BrokenMetadataError("The Exif data leads in a circle. Repair it, or remove it with another tool.")
        is_outer = not seen
        seen.add(start)
        (n_entries,) = struct.unpack_from(f"{order}H", block, start)
        for position in range(start + 2, start + 2 + n_entries * _ENTRY_BYTES, _ENTRY_BYTES):
            number, kind, count, value = struct.unpack_from(f"{order}HHII", block, position)
            n_tags += 1
            if n_tags > _MAX_TAGS:
                raise BrokenMetadataError(f"The Exif data has more than {_MAX_TAGS} tags. Remove it and run again.")
            if directory == "exif" and number in _DIRECTORIES:
                waiting.append((_DIRECTORIES[number], value))
                continue
            whole = None
            if kind in _INTEGERS and count == 1:
                (whole,) = struct.unpack_from(f"{order}{_INTEGERS[kind]}", block, position + 8)
            yield Tag(directory, number, whole, is_outer)
        if directory == "exif" and len(seen) == 1:
            end = start + 2 + n_entries * _ENTRY_BYTES
            following = struct.unpack_from(f"{order}I", block, end)[0] if end + 4 <= len(block) else 0
            if following:
                yield Tag(THUMBNAIL, 0, None)
