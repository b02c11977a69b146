"""How many rows go through the graph together.

A block of rows costs Ray some 10 ms in every stage, whatever is in it. A second of video costs little more, so
small sources of a large archive share a block; a chunk of a long video is worth one of its own, by which it finds
the first worker that is free. There are always blocks enough to keep a cluster busy to the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from anonflow.pipeline.rows import Row

_BLOCKS_AT_LEAST = 500
_ROWS_AT_MOST = 64
_BLOCK_BYTES = 32 * 2**20
"""Of sources; a minute of video, or so."""


def rows_a_block(first: Sequence[Row]) -> int:
    """Number of rows that share a block, from the first rows of a run."""
    if not first:
        return 1
    mean_bytes = sum(max(0, row.size_bytes) for row in first) / len(first)
    by_bytes = _BLOCK_BYTES // max(1, int(mean_bytes))
    return max(1, min(len(first) // _BLOCKS_AT_LEAST, by_bytes, _ROWS_AT_MOST))
