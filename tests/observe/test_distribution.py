from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonflow.observe.distribution import Distribution


def filled(distribution: Distribution, values: Any) -> Distribution:
    for value in values:
        distribution.add(float(value))
    return distribution


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.99])
def test_quantiles_are_right_to_a_bin(share: float) -> None:
    values = np.random.default_rng(0).lognormal(2, 1.5, 20_000)
    found = filled(Distribution.log(0.001, 100_000), values).quantile(share)
    assert found == pytest.approx(np.quantile(values, share), rel=0.13)


def test_mean_and_ends_are_exact() -> None:
    made = filled(Distribution.linear(0, 1, 10), [0.25, 0.5, 0.9])
    assert (made.low, made.high, made.n) == (0.25, 0.9, 3) and made.mean == pytest.approx(0.55)


@given(st.lists(st.floats(-10, 1000), min_size=1, max_size=50), st.floats(0, 1))
def test_a_quantile_lies_between_the_ends_and_no_value_is_lost(values: Any, share: float) -> None:
    made = filled(Distribution.log(0.01, 100), values)
    found = made.quantile(share)
    assert found is not None and min(values) <= found <= max(values)
    assert sum(made.counts) == len(values) == sum(count for *_, count in made.to_json()["bins"])


def test_one_value_is_all_its_quantiles() -> None:
    told = filled(Distribution.linear(20, 80, 120), [42.3]).to_json()
    assert told["p5"] == told["p50"] == told["p99"] == told["min"] == told["max"] == told["mean"] == 42.3


def test_nothing_has_no_quantiles() -> None:
    told = Distribution.linear(0, 1, 10).to_json()
    assert told["n"] == 0 and told["p50"] is None and told["bins"] == []


def test_it_takes_the_same_room_however_many_there_are() -> None:
    few, many = (filled(Distribution.log(0.001, 1000), np.geomspace(0.001, 999, n)) for n in (1_000, 50_000))
    assert len(json.dumps(many.to_json())) < 1.1 * len(json.dumps(few.to_json()))
