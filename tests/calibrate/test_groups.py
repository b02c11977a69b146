from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.calibrate.groups import folds, split
from anonflow.errors import ConfigError

GROUPS = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=60).filter(lambda g: len(set(g)) >= 2)


@given(GROUPS, st.floats(0.05, 0.9), st.integers(0, 5))
def test_no_group_is_on_both_sides(groups: list[str], test_share: float, seed: int) -> None:
    calibrating, tested = split(groups, test_share, seed)
    assert sorted([*calibrating, *tested]) == list(range(len(groups)))
    assert not {groups[n] for n in calibrating} & {groups[n] for n in tested}
    assert len(calibrating) and len(tested)


@given(GROUPS, st.integers(0, 5))
def test_every_group_is_tested_once(groups: list[str], seed: int) -> None:
    parts = folds(groups, 2, seed)
    assert sorted(n for _, tested in parts for n in tested) == list(range(len(groups)))
    for calibrating, tested in parts:
        assert not {groups[n] for n in calibrating} & {groups[n] for n in tested}
        assert sorted([*calibrating, *tested]) == list(range(len(groups)))


def test_parts_have_about_their_size() -> None:
    groups = [f"g{n // 5}" for n in range(200)]
    assert len(split(groups, 0.2, 0)[1]) in range(36, 46)
    assert [len(tested) for _, tested in folds(groups, 4, 0)] == [50] * 4
    assert not np.array_equal(split(groups, 0.2, 0)[1], split(groups, 0.2, 1)[1])


def test_too_few_groups_are_told() -> None:
    with pytest.raises(ConfigError, match="two groups"):
        split(["a", "a"], 0.2, 0)
    with pytest.raises(ConfigError, match="folds=3"):
        folds(["a", "b"], 3, 0)
    assert len(split(["a", "a"], 0.0, 0)[1]) == 0
