from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.config import OPERATORS as CONFIGURABLE
from anonflow.mask.operators import IS_WEAK, OPERATORS, blur, pixelate, solid

SIDES = st.integers(1, 40)
STRENGTHS = st.floats(0.5, 60)
DTYPES = st.sampled_from([(np.uint8, 255), (np.uint16, 1023), (np.uint16, 65535)])


def region(height: int, width: int, kind: Any, seed: Any = 0) -> Any:
    dtype, highest = kind
    return np.random.default_rng(seed).integers(0, highest, (height, width), endpoint=True).astype(dtype)


@pytest.mark.parametrize("name", sorted(OPERATORS))
@settings(deadline=None, max_examples=60)
@given(height=SIDES, width=SIDES, strength=STRENGTHS, kind=DTYPES)
def test_an_operator_keeps_shape_and_type_and_leaves_its_input_alone(
    name: Any, height: int, width: int, strength: float, kind: Any
) -> None:
    given_region = region(height, width, kind)
    before = given_region.copy()
    result = OPERATORS[name](given_region, 16, strength, strength)
    assert result.shape == before.shape and result.dtype == before.dtype
    assert np.array_equal(given_region, before)


@settings(deadline=None, max_examples=60)
@given(SIDES, SIDES, STRENGTHS, DTYPES)
def test_weak_operators_stay_within_the_values_of_the_region(
    height: int, width: int, strength: float, kind: Any
) -> None:
    values = region(height, width, kind)
    for operator in (pixelate, blur):
        result = operator(values, 0, strength, strength)
        assert values.min() <= result.min() and result.max() <= values.max()


def test_solid_tells_nothing_of_the_region() -> None:
    one, other = region(9, 7, (np.uint8, 255), 1), region(9, 7, (np.uint8, 255), 2)
    assert np.array_equal(solid(one, 16, 3, 3), solid(other, 16, 3, 3))


def test_cells_of_a_mosaic_are_flat() -> None:
    result = pixelate(region(24, 24, (np.uint8, 255)), 0, 8, 8)
    for top in range(0, 24, 8):
        for left in range(0, 24, 8):
            assert len(np.unique(result[top : top + 8, left : left + 8])) == 1


@pytest.mark.parametrize("sigma", [2.0, 12.0, 40.0])
def test_blur_of_a_shrunken_region_is_close_to_the_exact_one(sigma: float) -> None:
    """An edge blurred with the operator against the integral of the Gaussian."""
    from scipy.stats import norm

    width = 401
    edge = np.where(np.arange(width) < width // 2, 40, 200).astype(np.uint8)
    result = blur(np.tile(edge, (9, 1)), 0, sigma, sigma)[4].astype(float)
    exact = 40 + 160 * norm.cdf((np.arange(width) - width // 2 + 0.5) / sigma)
    assert np.abs(result - exact).max() < 8


def test_a_constant_region_stays_constant() -> None:
    flat = np.full((31, 17), 77, np.uint8)
    for operator in (pixelate, blur):
        assert (operator(flat, 0, 9, 9) == 77).all()


def test_every_configurable_operator_exists_and_says_whether_it_is_weak() -> None:
    assert set(OPERATORS) == set(CONFIGURABLE) == set(IS_WEAK)
    assert not IS_WEAK["solid"] and IS_WEAK["pixelate"] and IS_WEAK["blur"]
