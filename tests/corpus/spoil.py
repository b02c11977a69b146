"""Damaging the payload of chosen packets, so that a container stays whole around broken pictures."""

from __future__ import annotations

import random
from pathlib import Path

import av


def payload(path: Path, number: int) -> slice:
    """Where in the file the packet of the video lies, its first bytes aside."""
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.best("video")) if p.size]
    packet = packets[number]
    assert packet.pos is not None
    return slice(packet.pos + packet.size // 3, packet.pos + packet.size)


def spoiled(whole: Path, target: Path, number: int, seed: int = 0) -> Path:
    """A copy in which the rest of one packet is noise."""
    damaged, place = bytearray(whole.read_bytes()), payload(whole, number)
    damaged[place] = random.Random(seed).randbytes(place.stop - place.start)
    target.write_bytes(damaged)
    return target


def flipped(whole: Path, target: Path, seed: int) -> Path:
    """A copy in which one to three bits of pictures are flipped."""
    chance, damaged = random.Random(seed), bytearray(whole.read_bytes())
    for _ in range(chance.randint(1, 3)):
        place = payload(whole, chance.randrange(2, 10))
        damaged[chance.randrange(place.start, place.stop)] ^= 1 << chance.randrange(8)
    target.write_bytes(damaged)
    return target
