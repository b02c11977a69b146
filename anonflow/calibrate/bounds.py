"""What a mean of losses in [0, 1] can be, from independent samples, without any assumption on how they spread.

p-values of "the expected loss is at least `target`", and upper confidence bounds, by two roads:

- `hoeffding_bentkus`: Bates et al., "Distribution-free, risk-controlling prediction sets", J. ACM 68 (2021).
- `betting`: the capital of a gambler who bets that losses are below the target, Waudby-Smith and Ramdas,
  "Estimating means of bounded random variables by betting", J. R. Stat. Soc. B 86 (2024), with the bets of Bates
  et al. (2021), Proposition 5. Much sharper when most losses are near zero and samples are many. It depends on the
  order of the samples, which must not depend on their losses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

Reals = NDArray[np.float64]

BETTING, HOEFFDING_BENTKUS = "betting", "hoeffding_bentkus"
METHODS = (BETTING, HOEFFDING_BENTKUS)
FEW = 50
"""Below so many samples Hoeffding-Bentkus is taken, which needs fewer if nothing leaks: bets must learn first."""
_STEPS = 32


def method_for(n_samples: int) -> str:
    """Which road to take; decided by the number of samples alone, so that the data cannot choose."""
    return HOEFFDING_BENTKUS if n_samples < FEW else BETTING


def p_value(losses: Reals, target: float, delta: float, method: str) -> float:
    """How surprising these losses (n,) in [0, 1] are if their expectation is `target` or more; valid for any n.

    `delta` is the level at which bets are sized; it changes the power, not the validity.
    """
    _check(losses)
    if not len(losses):
        return 1.0
    if method == HOEFFDING_BENTKUS:
        return _hoeffding_bentkus(float(losses.mean()), len(losses), target)
    return float(betting(losses[None], target, delta)[0])


def upper_bound(losses: Reals, delta: float, method: str) -> float:
    """What the expected loss is below, with confidence `1 - delta`: the smallest target that would be believed."""
    _check(losses)
    if not len(losses):
        return 1.0
    return _first_below(lambda target: p_value(losses, target, delta, method) <= delta)


def betting(losses: Reals, target: float, delta: float) -> Reals:
    """p-values (draws,) of samples (draws, n): 1 / the most that the gambler ever had (Ville's inequality)."""
    stakes = _stakes(losses, delta)
    with np.errstate(divide="ignore"):
        log_capital = np.cumsum(np.log(np.maximum(1 + stakes * (target - losses), 0.0)), axis=1)
    most: Reals = np.exp(-np.maximum(log_capital.max(axis=1), 0.0))
    return most


def _stakes(losses: Reals, delta: float) -> Reals:
    """What is staked on each sample (draws, n), by the mean and variance of those before it."""
    n = losses.shape[1]
    counts = np.arange(1, n + 1)
    means = (0.5 + np.cumsum(losses, axis=1)) / (counts + 1)
    variances = (0.25 + np.cumsum((losses - means) ** 2, axis=1)) / (counts + 1)
    before = np.concatenate((np.full((len(losses), 1), 0.25), variances[:, :-1]), axis=1)
    stakes: Reals = np.minimum(1.0, np.sqrt(2 * np.log(1 / delta) / (n * before)))
    return stakes


def _hoeffding_bentkus(mean: float, n: int, target: float) -> float:
    if target <= 0:
        return 1.0
    if target >= 1:
        return 1.0 if mean >= 1 else 0.0
    low = min(mean, target)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.nan_to_num(low * np.log(low / target)) + (1 - low) * np.log((1 - low) / (1 - target))
    # Rounded before it is rounded up: 0.29 * 100 is 28.999999999999996.
    bentkus = np.e * bdtr(np.ceil(round(n * mean, 9)), n, target)
    return float(min(1.0, np.exp(-n * gap), bentkus))


def _first_below(is_believed: Callable[[float], bool]) -> float:
    """The smallest target from which on all are believed, from above and to 1e-9 at least."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_believed(middle) else (middle, high)
    return high


def _check(losses: Reals) -> None:
    if not ((losses >= 0) & (losses <= 1)).all():
        raise ValueError("losses must lie between 0 and 1")
