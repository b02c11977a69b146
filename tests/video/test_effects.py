from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonflow.config import TimeSpan
from anonflow.video.effects import inside, muted, shifted, spans_in_samples
from anonflow.video.samples import Block, SoundFormat

RATE = 48_000
FLOAT = SoundFormat(RATE, "mono", "fltp")


def _blocks(samples: np.ndarray, start: int, sizes: list[int]) -> Iterator[Block]:
    at = 0
    while at < samples.shape[1]:
        size = sizes[at % len(sizes)]
        yield Block(start + at, samples[:, at : at + size])
        at += size


def test_spans_count_from_the_first_frame_and_round_outward() -> None:
    spans = (TimeSpan(0.1, 0.25), TimeSpan(1.0, None))
    first, rest = spans_in_samples(spans, Fraction(1, 3), 1000)
    assert first == (433, 584) and rest[0] == 1333 and rest[1] == float("inf")
    assert spans_in_samples(spans[:1], Fraction(1, 3), 1000, lead=10, trail=5) == ((423, 589),)


@given(
    start=st.integers(-500, 500),
    n=st.integers(1, 400),
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=4),
    spans=st.lists(st.tuples(st.integers(-600, 900), st.integers(1, 300)), max_size=4),
    kind=st.sampled_from([np.uint8, np.int16, np.float32]),
)
def test_inside_of_spans_nothing_is_left_and_outside_nothing_is_touched(
    start: int, n: int, sizes: list[int], spans: list[tuple[int, int]], kind: type
) -> None:
    samples = (np.arange(2 * n).reshape(2, n) % 100 + 1).astype(kind)
    given_spans = [(a, a + length) for a, length in spans]
    result = np.concatenate([b.samples for b in muted(_blocks(samples, start, sizes), given_spans)], axis=1)
    place = np.arange(start, start + n)
    hidden = np.any([np.zeros(n, bool), *((place >= a) & (place < b) for a, b in given_spans)], axis=0)
    assert (result[:, hidden] == (128 if kind is np.uint8 else 0)).all()
    assert np.array_equal(result[:, ~hidden], samples[:, ~hidden])


def test_a_span_to_the_end_has_no_end() -> None:
    block = Block(10, np.ones((1, 5), np.int16))
    assert list(inside(block, [(12, float("inf"))])) == [slice(2, 5)]
    assert list(inside(block, [(0, 10), (15, 20)])) == []


@settings(deadline=None, max_examples=20)
@given(
    start=st.integers(-3000, 3000),
    n=st.integers(1, 60_000),
    size=st.integers(700, 5000),
    semitones=st.floats(-12, 12).filter(lambda s: abs(s) > 0.01),
)
def test_start_and_length_stay_to_the_sample(start: int, n: int, size: int, semitones: float) -> None:
    samples = np.random.default_rng(n).uniform(-0.5, 0.5, (1, n)).astype(np.float32)
    made = list(shifted(_blocks(samples, start, [size]), FLOAT, semitones))
    assert made[0].start == start and made[-1].stop == start + n
    assert all(a.stop == b.start for a, b in pairwise(made))


@pytest.mark.parametrize("semitones", [-12, -4, 4, 12])
def test_a_tone_moves_by_semitones_and_clicks_stay_within_30_ms(semitones: int) -> None:
    seconds = np.arange(2 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)[None]
    made = np.concatenate([b.samples for b in shifted(_blocks(tone, 0, [1024]), FLOAT, semitones)], axis=1)
    middle = made[0, RATE // 2 : 3 * RATE // 2]
    frequency = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(RATE))))
    assert abs(frequency - 440 * 2 ** (semitones / 12)) <= 1
    clicks = np.zeros((1, 2 * RATE), np.float32)
    places = [RATE // 2, RATE, 3 * RATE // 2]
    clicks[:, places] = 0.9
    made = np.concatenate([b.samples for b in shifted(_blocks(clicks, 0, [1024]), FLOAT, semitones)], axis=1)
    for place in places:
        around = np.abs(made[0, place - RATE // 10 : place + RATE // 10])
        assert abs(int(np.argmax(around)) - RATE // 10) <= 0.03 * RATE


def test_nothing_shifted_is_nothing() -> None:
    assert list(shifted([], FLOAT, 3)) == []
