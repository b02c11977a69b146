from __future__ import annotations

import pytest

from anonflow.remote.patterns import fixed_start, matcher


@pytest.mark.parametrize(
    ("pattern", "start"), [("a/b.mp4", "a/b.mp4"), ("a/*/c", "a/"), ("day?.mp4", "day"), ("[ab]/c", ""), ("", "")]
)
def test_what_comes_before_the_first_wildcard_is_fixed(pattern: str, start: str) -> None:
    assert fixed_start(pattern) == start


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*.mp4", ["a.mp4"], ["a/b.mp4", "a.mov", ""]),
        ("**/*.mp4", ["a.mp4", "a/b/c.mp4"], ["a.mov", "a.mp4/b"]),
        ("a/**", ["a/b", "a/b/c"], ["b", "b/a"]),
        ("a/*/c?", ["a/b/c1"], ["a/b/d/c1", "a/b/c", "a/c1"]),
        ("[ab].txt", ["a.txt"], ["c.txt", "A.txt"]),
    ],
)
def test_wildcards_stay_within_a_name_but_for_two_stars(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    matches = matcher(pattern)
    assert [path for path in [*matching, *others] if matches(path)] == matching
