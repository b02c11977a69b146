"""Learn then Test: of many settings that are tried, none that is certified misses its target, with confidence.

Angelopoulos et al., "Learn then test: calibrating predictive algorithms to achieve risk control", 2021.
"""

from __future__ import annotations

from collections.abc import Callable

PValue = Callable[[int, int], float]
"""Of a setting: number of its chain, place in it. Asked for only where it counts."""


def fixed_sequences(lengths: list[int], p_value: PValue, delta: float) -> list[tuple[int, int]]:
    """The settings (chain, place) that are certified, in the order in which they were.

    With probability `1 - delta` none of them is wrong. Each chain is tested from its first setting, which masks
    most, until one fails: fixed-sequence testing, which needs no correction along a chain. Chains share `delta`
    equally. One that is certified to its end gives its share to the next that is not: the weighted graph of Bretz
    et al., "A graphical approach to sequentially rejective multiple test procedures", Statistics in Medicine 28
    (2009), with an edge from each chain's end to the next one.
    """
    shares = [delta / len(lengths)] * len(lengths)
    places = [0] * len(lengths)
    certified: list[tuple[int, int]] = []
    waiting = list(range(len(lengths)))
    while waiting:
        chain = waiting.pop(0)
        while places[chain] < lengths[chain] and p_value(chain, places[chain]) <= shares[chain]:
            certified.append((chain, places[chain]))
            places[chain] += 1
        heir = _next_unfinished(chain, places, lengths)
        if places[chain] == lengths[chain] and heir is not None:
            shares[heir] += shares[chain]
            shares[chain] = 0.0
            if heir not in waiting:
                waiting.append(heir)
    return certified


def _next_unfinished(chain: int, places: list[int], lengths: list[int]) -> int | None:
    n = len(lengths)
    others = [(chain + step) % n for step in range(1, n)]
    return next((other for other in others if places[other] < lengths[other]), None)
