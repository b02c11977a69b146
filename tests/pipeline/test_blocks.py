from __future__ import annotations

import pytest

from anonflow.pipeline.blocks import rows_a_block
from anonflow.pipeline.rows import Row
from anonflow.types import Source

MEBIBYTE = 2**20


@pytest.mark.parametrize(
    ("n", "size_bytes", "expected"),
    [
        (0, 0, 1),
        (1, 1, 1),
        (999, 1, 1),  # so few that every worker should get its share
        (10_000, MEBIBYTE, 20),
        (100_000, MEBIBYTE, 32),
        (100_000, 10 * MEBIBYTE, 3),
        (100_000, 1000 * MEBIBYTE, 1),  # each is worth blocks of its own
        (100_000, -1, 64),  # sizes that are not known: files that are not there
    ],
)
def test_small_sources_of_large_archives_share_a_block(n: int, size_bytes: int, expected: int) -> None:
    row = Row.of(Source("/in/a", "a", "id", size_bytes, 1))
    assert rows_a_block([row] * n) == expected


@pytest.mark.parametrize("n", [1, 499, 500, 50_000, 100_000, 1_000_000])
def test_there_are_blocks_for_a_whole_cluster(n: int) -> None:
    row = Row.of(Source("/in/a", "a", "id", 1, 1))
    assert n / rows_a_block([row] * n) >= min(n, 500)
