"""NAL units of H.264 (ITU-T H.264, 7.3.1; in MP4 as ISO/IEC 14496-15 says): taken apart, not decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SLICE, IDR, SEI, SPS, PPS, DELIMITER, FILLER = 1, 5, 6, 7, 8, 9, 12
_START_CODE = b"\0\0\0\1"
_MAX_SETS = 32
_SPS_HEADER_SIZE, _PPS_HEADER_SIZE = 4, 1


@dataclass(frozen=True)
class ParameterSets:
    """What an MP4 file keeps in its header (avcC): parameter sets, and the size of the packets' length fields."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]
    length_size: int

    @property
    def annex_b(self) -> bytes:
        """The sets with start codes, as an encoder without a container gives them."""
        return with_start_codes((*self.sps, *self.pps))

    def free_id(self) -> int | None:
        """The lowest id from 1 on that no set has, sequence or picture; None if there is none."""
        taken = {_first_number(unit[_SPS_HEADER_SIZE:]) for unit in self.sps}
        taken |= {_first_number(unit[_PPS_HEADER_SIZE:]) for unit in self.pps}
        return next((number for number in range(1, _MAX_SETS) if number not in taken), None)


def parameter_sets(avcc: bytes) -> ParameterSets | None:
    """The sets in an avcC record (ISO/IEC 14496-15, 5.3.3.1); None if it is none, or cut off."""
    if len(avcc) < 7 or avcc[0] != 1:
        return None
    position, lists = 5, []
    for mask in (0x1F, 0xFF):
        if position >= len(avcc):
            return None
        count, position, found = avcc[position] & mask, position + 1, []
        for _ in range(count):
            size = int.from_bytes(avcc[position : position + 2], "big")
            unit = avcc[position + 2 : position + 2 + size]
            if not unit or len(unit) < size:
                return None
            found.append(unit)
            position += 2 + size
        lists.append(tuple(found))
    return ParameterSets(lists[0], lists[1], (avcc[4] & 3) + 1)


def units(packet: bytes, length_size: int) -> Iterator[bytes]:
    """The NAL units of a packet with length fields. Raises ValueError if the lengths don't add up."""
    position = 0
    while position < len(packet):
        start = position + length_size
        position = start + int.from_bytes(packet[position:start], "big")
        if start >= position or position > len(packet):
            raise ValueError("a NAL unit is longer than its packet, or empty")
        yield packet[start:position]


def split_annex_b(stream: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream: what `with_start_codes` joined, start codes of three bytes too."""
    for part in stream.split(_START_CODE[1:])[1:]:
        yield part.rstrip(b"\0")  # the fourth byte of the next start code, or padding: no unit ends with a zero


def demands(sps: bytes) -> tuple[int, int]:
    """What a sequence parameter set asks of a decoder: `profile_idc` and `level_idc`."""
    return sps[1], sps[3]


def kind(unit: bytes) -> int:
    """`nal_unit_type`."""
    return unit[0] & 0x1F


def with_start_codes(given: Iterable[bytes]) -> bytes:
    """NAL units as a byte stream (Annex B)."""
    return b"".join(_START_CODE + unit for unit in given)


def _first_number(payload: bytes) -> int:
    """The number that a payload begins with, in the code of 9.1 (Exp-Golomb); a set begins with its id."""
    bits = int.from_bytes(payload[:5].ljust(5, b"\0"), "big")
    n_zeros = 40 - bits.bit_length()
    return (bits >> (40 - 2 * n_zeros - 1)) - 1 if n_zeros <= 15 else _MAX_SETS
