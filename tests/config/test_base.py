from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from anonflow.config.base import choice, not_negative, positive, require, share
from anonflow.errors import ConfigError


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (share, [0, 0.5, 1], [-0.01, 1.01, math.nan]),
        (positive, [1e-9, 5], [0, -1, math.inf, math.nan]),
        (not_negative, [None, 0, 7], [-1e-9, math.inf, math.nan]),
    ],
)
def test_each_check_names_the_key_and_the_value(
    check: Callable[[str, float | None], None], good: list[float | None], bad: list[float]
) -> None:
    for value in good:
        check("the.key", value)
    for value in bad:
        with pytest.raises(ConfigError, match=f"the.key={value}"):
            check("the.key", value)


def test_a_choice_tells_what_there_is() -> None:
    choice("codec", "a", ("a", "b"))
    with pytest.raises(ConfigError, match="codec=c is unknown; choose one of: a, b"):
        choice("codec", "c", ("a", "b"))


def test_a_requirement_is_told_in_its_own_words() -> None:
    require(True, "never told")
    with pytest.raises(ConfigError, match="in these words"):
        require(False, "in these words")
