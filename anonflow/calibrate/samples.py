"""How many videos a certificate needs, judged by those that are there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anonflow.calibrate.bounds import BETTING, FEW, Reals, betting, method_for, p_value

POWER = 0.8
"""Chance of success that "about N" stands for."""
MOST = 20_000
"""Beyond it nothing is simulated: the answer is "more"."""
_DRAWS = 200
_SEED = 0


@dataclass(frozen=True)
class Needed:
    """The number of videos that a certificate would take."""

    n: int | None
    """None: no number is known to do, see `why`."""
    at_least: int
    """Needed even if not one of them leaks."""
    why: str = ""


def needed(losses: Reals, target: float, delta: float) -> Needed:
    """How many videos like these (losses (n,) in [0, 1]) would be certified at `delta` in `POWER` of all cases.

    Found by drawing from the losses with replacement, so it is as good as these are typical.
    """
    least = least_samples(target, delta)
    if len(losses) and losses.mean() >= target:
        why = f"these leak {losses.mean():.4g} on average, which is not below the target {target:.4g}"
        return Needed(None, least, why)
    if not len(losses) or not losses.any():
        return Needed(least, least)
    low, high = least - 1, least
    while high <= MOST and _power(losses, high, target, delta) < POWER:
        low, high = high, 2 * high
    if high > MOST:
        return Needed(None, least, f"more than {MOST} would be needed")
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if _power(losses, middle, target, delta) >= POWER else (middle, high)
    return Needed(high, least)


def least_samples(target: float, delta: float) -> int:
    """The number of videos that are certified if no loss is seen at all."""
    low, high = 0, 1
    while not _is_enough(high, target, delta):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _is_enough(middle, target, delta) else (middle, high)
    return high


def _is_enough(n: int, target: float, delta: float) -> bool:
    return p_value(np.zeros(n), target, delta, method_for(n)) <= delta


def _power(losses: Reals, n: int, target: float, delta: float) -> float:
    """Share of draws of `n` videos that would be certified."""
    rng = np.random.default_rng([_SEED, n])
    per_round = max(1, 2_000_000 // n)
    hits = 0
    for start in range(0, _DRAWS, per_round):
        draws = rng.choice(losses, (min(per_round, _DRAWS - start), n))
        if n < FEW:
            hits += sum(p_value(draw, target, delta, method_for(n)) <= delta for draw in draws)
        else:
            assert method_for(n) == BETTING
            hits += int((betting(draws, target, delta) <= delta).sum())
    return hits / _DRAWS


def rounded(n: int) -> int:
    """Two leading digits, upward: "about N" must not look more exact than it is."""
    scale = int(10 ** max(0, math.floor(math.log10(n)) - 1))
    return -(-n // scale) * scale
