from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from anonflow.remote.stat import RemoteStat, stat_of

WHEN = datetime(2026, 11, 22, 4, 30, 1, 250_000, tzinfo=UTC)
WHEN_NS = 1_795_321_801_250_000_000


@pytest.mark.parametrize(
    ("info", "found"),
    [
        # As s3fs, adlfs, gcsfs and fsspec's HTTP say it.
        ({"size": 5, "LastModified": WHEN, "ETag": '"x"', "type": "file"}, RemoteStat(5, WHEN_NS, "x")),
        ({"size": 5, "last_modified": WHEN, "etag": "0x1C"}, RemoteStat(5, WHEN_NS, "0x1C")),
        (
            {"size": 5, "updated": "2026-11-22T04:30:01.250Z", "generation": "17", "etag": "y"},
            RemoteStat(5, WHEN_NS, "17"),
        ),
        (
            {"size": None, "last_modified": "Sun, 22 Nov 2026 04:30:01 GMT", "partial": False},
            RemoteStat(-1, WHEN_NS // 10**9 * 10**9, "", is_ranged=False),
        ),
        ({"type": "directory", "size": 0}, RemoteStat(0, 0, "", is_folder=True)),
    ],
)
def test_each_store_says_it_in_its_own_words(info: dict[str, Any], found: RemoteStat) -> None:
    assert stat_of(info) == found
