from __future__ import annotations

from tests.streams import DEEPSORT, SORT


def test_only_a_tracker_that_looks_keeps_a_gallery() -> None:
    assert (SORT.gallery, DEEPSORT.gallery) == (0, 5)
