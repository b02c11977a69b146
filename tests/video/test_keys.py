from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.video.keys import allowed, canonical, content, matches


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("title", "title"),
        ("TITLE", "title"),
        ("name", "title"),
        ("location-eng", "location"),
        ("My Tag", "my_tag"),
        ("com.apple.quicktime.location.ISO6709", "com.apple.quicktime.location.iso6709"),
    ],
)
def test_one_name_for_what_containers_spell_differently(key: str, name: str) -> None:
    assert canonical(key) == name


def test_what_describes_the_file_itself_is_no_content() -> None:
    own = {
        "major_brand": "isom",
        "encoder": "Lavf",
        "ENCODER": "Lavc",
        "DURATION": "00:00:02",
        "_STATISTICS_TAGS": "BPS",
        "vendor_id": "FFMP",
        "language": "deu",
        "handler_name": "VideoHandler",
        "timecode": "01:00:00:00",
    }
    assert content(own) == {}
    assert content(own | {"handler_name": "Ann's phone", "title": "x"}) == {
        "handler_name": "Ann's phone",
        "title": "x",
    }


def test_patterns_fit_either_spelling_whatever_the_case() -> None:
    keys = {"com.apple.quicktime.Model": "m", "location-eng": "p", "COMMENT": "c", "name": "n"}
    assert allowed(keys, ["com.apple.*"]) == {"com.apple.quicktime.model": "m"}
    assert allowed(keys, ["location"]) == allowed(keys, ["location-eng"]) == {"location": "p"}
    assert allowed(keys, ["comment", "Title"]) == {"comment": "c", "title": "n"}
    assert allowed(keys, ["name"]) == {"title": "n"}
    assert allowed(keys, []) == {}


@given(st.dictionaries(st.text(min_size=1), st.text()), st.lists(st.text(min_size=1), max_size=3))
def test_what_is_allowed_is_content_and_everything_is_all_content(
    keys: dict[str, str], patterns: list[str]
) -> None:
    assert allowed(keys, patterns).items() <= content(keys).items()
    assert allowed(keys, ["*"]) == content(keys)


def test_matches_as_fnmatch() -> None:
    assert matches("font/ttf", ["font/*"]) and not matches("image/png", ["font/*"])
    assert matches("DEU", ["deu"]) and not matches("deu", [])
