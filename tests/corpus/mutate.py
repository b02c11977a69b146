"""Damaging a file at random, the same for the same seed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

_HEADER = 4096
_TELLING = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
"""Numbers at the edges of their types."""


def mutated(contents: Sequence[bytes], seed: int) -> bytes:
    """The first of `contents` after one to three mutations; others are material for splices."""
    chance = random.Random(seed)
    made = bytearray(contents[0])
    for _ in range(chance.choice((1, 1, 2, 3))):
        if len(made) > 16:
            made = chance.choice(_MUTATIONS)(made, chance, contents)
    return bytes(made)


def _flip(made: bytearray, chance: random.Random, _: Sequence[bytes]) -> bytearray:
    for _n in range(1 << chance.randrange(7)):
        made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
    return made


def _overwrite(made: bytearray, chance: random.Random, _: Sequence[bytes]) -> bytearray:
    start = chance.randrange(len(made))
    length = min(len(made) - start, 1 << chance.randrange(11))
    made[start : start + length] = chance.choice((bytes(length), b"\xff" * length, chance.randbytes(length)))
    return made


def _cut(made: bytearray, chance: random.Random, _: Sequence[bytes]) -> bytearray:
    return made[: chance.randrange(1, len(made))]


def _remove(made: bytearray, chance: random.Random, _: Sequence[bytes]) -> bytearray:
    start = chance.randrange(len(made))
    del made[start : start + (1 << chance.randrange(12))]
    return made


def _repeat(made: bytearray, chance: random.Random, _: Sequence[bytes]) -> bytearray:
    start = chance.randrange(len(made))
    made[start:start] = made[start : start + (1 << chance.randrange(12))] * chance.choice((1, 1, 2, 50))
    return made


def _splice(made: bytearray, chance: random.Random, contents: Sequence[bytes]) -> bytearray:
    other = chance.choice(contents)
    place = chance.randrange(len(made))
    start = min(place, len(other)) if chance.random() < 0.5 else chance.randrange(len(other))
    return made[:place] + other[start:]


def _edit_header(made: bytearray, chance: random.Random, _: Sequence[bytes]) -> bytearray:
    """Edge values into numbers near the beginning, or near the end, where MP4 has its tables."""
    for _n in range(chance.randint(1, 4)):
        place = chance.randrange(min(_HEADER, len(made)))
        place = place if chance.random() < 0.5 else len(made) - 1 - place
        packed = struct.pack(chance.choice((">I", "<I")), chance.choice(_TELLING))[-chance.choice((1, 2, 4)) :]
        made[place : place + len(packed)] = packed[: len(made) - place]
    return made


_MUTATIONS: list[Callable[[bytearray, random.Random, Sequence[bytes]], bytearray]] = [
    _flip,
    _flip,
    _overwrite,
    _cut,
    _remove,
    _repeat,
    _splice,
    _edit_header,
    _edit_header,
]
