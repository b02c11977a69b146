"""Reading a remote file piece by piece, with a bounded memory of the last pieces; nothing of it goes to a disk."""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

_MAX_AHEAD_BLOCKS = 8


class RangedFile(io.RawIOBase):
    """A seekable file over a function that fetches the bytes of a range.

    Whole blocks are fetched. Who reads on where the last fetch ended gets twice as much with the next one, up to
    eight blocks or a quarter of the memory: headers cost little, a long read few requests.
    """

    def __init__(
        self, fetch: Callable[[int, int], bytes], size_bytes: int, block_bytes: int, cache_bytes: int, name: str
    ) -> None:
        """`fetch(start, stop)` gives exactly the bytes from `start` to before `stop`."""
        super().__init__()
        self.name = name
        self._fetch, self._size, self._block = fetch, size_bytes, block_bytes
        self._max_blocks = max(2, cache_bytes // block_bytes)
        self._max_ahead = max(1, min(_MAX_AHEAD_BLOCKS, self._max_blocks // 4))
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0
        self._expected, self._ahead = -1, 1

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; beyond the end there is nothing to read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(22, "a place before the beginning", self.name)
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the block under the position goes; 0 at the end."""
        if self._position >= self._size:
            return 0
        number, offset = divmod(self._position, self._block)
        part = memoryview(self._at(number))[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def _at(self, number: int) -> bytes:
        if number not in self._blocks:
            self._load(number)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _load(self, number: int) -> None:
        self._ahead = min(2 * self._ahead, self._max_ahead) if number == self._expected else 1
        start = number * self._block
        stop = min(start + self._ahead * self._block, self._size)
        content = self._fetch(start, stop)
        if len(content) != stop - start:
            raise OSError(
                5, "fewer or more bytes came than were asked for; it changed, or ranges are not served", self.name
            )
        for at in range(0, len(content), self._block):
            self._blocks[number + at // self._block] = content[at : at + self._block]
        self._expected = -(-stop // self._block)
        while len(self._blocks) > self._max_blocks:
            self._blocks.popitem(last=False)
