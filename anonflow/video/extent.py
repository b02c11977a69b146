"""Whether a file is as long as its own structure says. Reads headers only.

A truncated file is opened and read by FFmpeg without an error up to where it ends; the sizes that containers write
into their headers tell. MPEG-TS and MPEG-PS announce nothing and pass.
"""

from __future__ import annotations

import os
import struct
from typing import IO

from anonflow.storage import StoragePath, naming_source_errors

_EBML_MAGIC = b"\x1a\x45\xdf\xa3"
_SEGMENT_ID = b"\x18\x53\x80\x67"
_ISO_FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp"}
_ISO_BOXES = _ISO_FIRST_BOXES | {b"moof", b"mfra", b"sidx", b"ssix", b"prft", b"emsg", b"uuid", b"udta", b"meta"}


def missing_bytes(path: StoragePath) -> int:
    """How many bytes the file is short of what its container announces; 0 for a whole file or when nobody says."""
    with naming_source_errors(path), path.open("rb") as file:
        size = path.stat().st_size
        head = file.read(12)
        file.seek(0)
        if head[4:8] in _ISO_FIRST_BOXES:
            end = _iso_end(file, size)
        elif head[:4] == _EBML_MAGIC:
            end = _matroska_end(file)
        elif _is_avi(head):
            end = _riff_end(file, size)
        else:
            end = 0
    return max(0, end - size)


def has_container_signature(path: StoragePath) -> bool:
    """Whether the file begins like a video container, however damaged the rest is."""
    with naming_source_errors(path), path.open("rb") as file:
        head = file.read(12)
    return head[4:8] in _ISO_FIRST_BOXES or head[:4] == _EBML_MAGIC or _is_avi(head) or head[:4] == b"FLV\x01"


def _is_avi(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"AVI "


def _iso_end(file: IO[bytes], size: int) -> int:
    """End of the last top-level box (ISO/IEC 14496-12, 4.2)."""
    end = 0
    while end + 8 <= size:
        file.seek(end)
        length, kind = struct.unpack(">I4s", file.read(8))
        if length == 1:
            length = int.from_bytes(file.read(8), "big")
        if length < 8 or kind not in _ISO_BOXES:
            break  # 0: up to the end of the file; anything else: not a box, but bytes that someone appended
        end += length
    return end


def _matroska_end(file: IO[bytes]) -> int:
    """End of the Segment (RFC 9559, section 5.1; sizes by RFC 8794, section 4); 0 when it is of unknown size."""
    file.seek(4)
    header_size = _ebml_size(file)
    if header_size is None:
        return 0
    file.seek(header_size, os.SEEK_CUR)
    if file.read(4) != _SEGMENT_ID:
        return 0
    segment_size = _ebml_size(file)
    return 0 if segment_size is None else file.tell() + segment_size


def _ebml_size(file: IO[bytes]) -> int | None:
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1), "big") & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value


def _riff_end(file: IO[bytes], size: int) -> int:
    """End of the last RIFF chunk; an OpenDML file has several."""
    end = 0
    while end + 12 <= size:
        file.seek(end)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF" or length == 0:
            break  # 0: a recorder that never finished its header
        end += 8 + length
    return end
