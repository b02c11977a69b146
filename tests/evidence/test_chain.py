from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anonflow.evidence.chain import broken_link, chained, head, record_hash

FACTS: list[dict[str, Any]] = [{"kind": "source", "bytes": 1}, {"kind": "plan", "frames": 3}, {"kind": "output"}]


def test_each_record_holds_the_hash_of_the_one_before() -> None:
    chain = chained("id", FACTS)
    assert [record["position"] for record in chain] == [0, 1, 2]
    assert [record["previous"] for record in chain] == [None, record_hash(chain[0]), record_hash(chain[1])]
    assert head(chain) == record_hash(chain[2]) and head([]) is None
    assert broken_link(chain) is None


def test_a_chain_goes_on() -> None:
    whole = chained("id", FACTS)
    assert chained("id", FACTS[2:], chained("id", FACTS[:2])) == whole


def test_only_a_record_that_names_another_run_may_go_on_from_what_is_not_there() -> None:
    unchanged = chained("id", [{"kind": "unchanged", "run_id": "r"}], chained("id", FACTS))
    assert broken_link(unchanged[-1:]) is None
    assert broken_link(chained("id", FACTS)[1:]) == 0


@given(st.integers(0, 2), st.sampled_from(["kind", "video_id", "position", "previous", "more"]))
def test_a_changed_record_breaks_the_link_after_it_or_changes_the_head(place: int, key: str) -> None:
    chain = chained("id", FACTS)
    other = copy.deepcopy(chain)
    other[place][key] = "something else"
    assert broken_link(other) is not None or head(other) != head(chain)


@given(st.permutations(range(3)), st.integers(1, 3))
def test_a_removed_or_moved_record_is_found(order: list[int], n: int) -> None:
    chain = chained("id", FACTS)
    other = [chain[place] for place in order[:n]]
    if other != chain:
        assert broken_link(other) is not None or head(other) != head(chain)
