from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.detect.appearance import LENGTH, describe
from anonflow.types import FloatArray, Picture

WIDTH, HEIGHT, COLUMNS, ROWS = 400, 300, 5, 4
SPACING = 70


@cache
def crowd() -> Picture:
    """20 made-up heads in rows: skin, hair, clothes and a background, each of its own shades and shapes."""
    rng = np.random.default_rng(11)
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for x1, y1, x2, y2 in heads().astype(int).tolist():
        colours = rng.integers(0, 230, (3, 3)).tolist()
        skin = (np.array([120, 150, 190]) * rng.uniform(0.4, 1.2)).tolist()
        middle, width, height = ((x1 + x2) // 2, (y1 + y2) // 2), x2 - x1, y2 - y1
        cv2.rectangle(picture, (x1 - 12, y1 - 12), (x2 + 12, y2 + 12), colours[0], cv2.FILLED)
        cv2.ellipse(picture, middle, (width // 2 + 4, height // 2 + 5), 0, 0, 360, colours[1], cv2.FILLED)
        cv2.ellipse(picture, middle, (width // 2 - 3, height // 2), 0, 0, 360, skin, cv2.FILLED)
        for eye in (-0.2, 0.2):
            place = (int(middle[0] + eye * width), middle[1] - int(height * rng.uniform(0, 0.3)))
            cv2.circle(picture, place, 3, (30, 30, 30), cv2.FILLED)
        cv2.rectangle(picture, (x1 + 5, y2), (x2 - 5, y2 + 12), colours[2], cv2.FILLED)
    return np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


def heads() -> FloatArray:
    """Their boxes (20, 4)."""
    columns, rows = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
    corners = np.stack([columns, rows], axis=-1).reshape(-1, 2) * SPACING + 24
    return np.hstack([corners, corners + np.array([36, 44])]).astype(np.float32)


boxes = st.lists(st.tuples(*[st.floats(-150, 450, width=32)] * 4), max_size=12).map(
    lambda rows: np.array(rows, np.float32).reshape(-1, 4)
)


def is_seen(xyxy: FloatArray) -> np.ndarray:
    low, high = np.maximum(xyxy[:, :2], 0), np.minimum(xyxy[:, 2:], (WIDTH, HEIGHT))
    return (low < high).all(axis=1)


@given(xyxy=boxes)
def test_rows_have_length_one_or_are_zero(xyxy: FloatArray) -> None:
    rows = describe(crowd(), xyxy)
    assert rows.shape == (len(xyxy), LENGTH) and rows.dtype == np.float32
    assert (rows >= 0).all()
    assert np.allclose(np.linalg.norm(rows, axis=1), is_seen(xyxy), atol=1e-5)


@given(xyxy=boxes, seed=st.integers(0, 99))
def test_a_row_does_not_depend_on_the_others(xyxy: FloatArray, seed: int) -> None:
    rows = describe(crowd(), xyxy)
    order = np.random.default_rng(seed).permutation(len(xyxy))
    assert np.array_equal(describe(crowd(), xyxy[order]), rows[order])
    for number in range(len(xyxy)):
        assert np.array_equal(describe(crowd(), xyxy[number : number + 1])[0], rows[number])


@pytest.mark.parametrize(
    "box",
    [(10, 10, 10, 40), (10, 40, 50, 40), (50, 10, 20, 40), (-90, 10, -5, 40), (WIDTH, 0, WIDTH + 9, 9),
     (10, 10, np.nan, 40), (np.nan,) * 4, (0, 0, np.inf, 9), (-np.inf, 0, 9, 9)],
)  # fmt: skip
def test_a_box_without_a_picture_is_zeros(box: tuple[float, ...]) -> None:
    rows = describe(crowd(), np.array([box, (24, 24, 60, 68)], np.float32))
    assert not rows[0].any() and np.linalg.norm(rows[1]) == pytest.approx(1)


def test_no_boxes_are_no_rows() -> None:
    assert describe(crowd(), np.zeros((0, 4), np.float32)).shape == (0, LENGTH)


@given(level=st.tuples(*[st.integers(0, 255)] * 3), side=st.integers(1, 200))
def test_an_even_picture_has_descriptors_too(level: tuple[int, int, int], side: int) -> None:
    even = np.full((side, 2 * side, 3), level, np.uint8)
    rows = describe(even, np.array([(0, 0, side, side), (0, 0, 2 * side, side)], np.float32))
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert rows[0] @ rows[1] == pytest.approx(1, abs=1e-5)


def test_the_picture_beyond_the_margin_does_not_matter() -> None:
    picture, box = crowd().copy(), heads()[7:8]
    before = describe(picture, box)
    left, top, right, bottom = (box[0] + 20 * np.array([-1, -1, 1, 1])).astype(int)
    outside = np.ones(picture.shape[:2], bool)
    outside[top:bottom, left:right] = False
    picture[outside] = 255
    assert np.array_equal(describe(picture, box), before)


def test_the_picture_is_not_changed_and_may_be_a_view() -> None:
    picture = crowd().copy()
    picture.flags.writeable = False
    wide = np.zeros((HEIGHT, 2 * WIDTH, 3), np.uint8)
    wide[:, 40 : 40 + WIDTH] = picture
    rows = describe(picture, heads())
    assert np.array_equal(picture, crowd())
    assert np.array_equal(describe(wide[:, 40 : 40 + WIDTH], heads()), rows)


def nearest(changed: Picture, xyxy: FloatArray) -> np.ndarray:
    """The head of `crowd` that each box of `changed` looks most like."""
    return np.argmax(describe(changed, xyxy) @ describe(crowd(), heads()).T, axis=1)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_jittered_box_still_holds_the_same_object(seed: int) -> None:
    rng = np.random.default_rng(seed)
    jittered = heads() + rng.uniform(-3, 3, (len(heads()), 4)).astype(np.float32)
    assert np.mean(nearest(crowd(), jittered) == np.arange(len(heads()))) >= 0.9


@settings(deadline=None, max_examples=30)
@given(gain=st.floats(0.75, 1.1), lift=st.floats(0, 20))
def test_it_is_the_same_object_in_another_light(gain: float, lift: float) -> None:
    lit = np.clip(crowd() * gain + lift, 0, 255).astype(np.uint8)
    assert np.mean(nearest(lit, heads()) == np.arange(len(heads()))) >= 0.9


@pytest.mark.parametrize("scale", [0.6, 1.5, 4.0])
def test_it_is_the_same_object_at_another_size(scale: float) -> None:
    size = (int(WIDTH * scale), int(HEIGHT * scale))
    scaled = cv2.resize(crowd(), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    found = nearest(scaled.astype(np.uint8), heads() * np.float32(scale))
    assert np.mean(found == np.arange(len(heads()))) >= 0.9


def test_neighbours_are_told_apart() -> None:
    rows = describe(crowd(), heads())
    others = (rows @ rows.T)[~np.eye(len(rows), dtype=bool)]
    same = np.sum(rows * describe(crowd(), heads() + np.float32(1.5)), axis=1)
    assert same.min() > np.quantile(others, 0.95)
