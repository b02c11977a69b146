from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.remote.ranged import RangedFile

CONTENT = bytes(range(251)) * 40


class Fetched:
    """Serves `CONTENT` and notes what was asked for."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []

    def __call__(self, start: int, stop: int) -> bytes:
        self.ranges.append((start, stop))
        return CONTENT[start:stop]


def opened(fetch: Any, block: Any = 100, cache: Any = 1600) -> Any:
    return RangedFile(fetch, len(CONTENT), block, cache, "x")


@given(st.lists(st.tuples(st.integers(-300, 11_000), st.integers(0, 500), st.integers(0, 2)), max_size=30))
@settings(deadline=None)
def test_it_reads_as_a_file_in_memory_does(steps: Any) -> None:
    mine, reference = io.BufferedReader(opened(Fetched()), 256), io.BytesIO(CONTENT)
    for offset, size, whence in steps:
        base = {0: 0, 1: reference.tell(), 2: len(CONTENT)}[whence]
        if base + offset >= 0:
            assert mine.seek(base + offset) == reference.seek(base + offset)
        assert mine.read(size) == reference.read(size) and mine.tell() == reference.tell()


def test_a_place_costs_its_block_and_no_more() -> None:
    fetch = Fetched()
    file = opened(fetch)
    file.seek(5050)
    assert file.read(20) == CONTENT[5050:5070]
    assert fetch.ranges == [(5000, 5100)]
    file.seek(5010)
    file.read(50)
    assert len(fetch.ranges) == 1, "what was read is remembered"


def test_reading_on_takes_fewer_and_larger_requests() -> None:
    fetch = Fetched()
    assert opened(fetch, cache=6400).read() == CONTENT
    sizes = [stop - start for start, stop in fetch.ranges]
    assert sizes[:4] == [100, 200, 400, 800] and max(sizes) == 800


def test_memory_is_bounded() -> None:
    file = opened(Fetched(), cache=1600)
    file.read()
    assert sum(map(len, file._blocks.values())) <= 1600
    small = opened(Fetched(), cache=100)
    small.read()
    assert len(small._blocks) <= 2


def test_bytes_that_do_not_come_are_an_error() -> None:
    for fetch in (lambda start, stop: CONTENT[start : stop - 1], lambda start, stop: CONTENT):
        with pytest.raises(OSError, match="bytes came"):
            opened(fetch).read(10)


def test_there_is_nothing_before_the_beginning_and_nothing_behind_the_end() -> None:
    file = opened(Fetched())
    with pytest.raises(OSError):
        file.seek(-1)
    file.seek(20_000)
    assert file.read(5) == b""
