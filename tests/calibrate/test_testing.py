from __future__ import annotations

import numpy as np
import pytest
from mapie.risk_control import control_fwer

from anonflow.calibrate.bounds import method_for, p_value
from anonflow.calibrate.testing import fixed_sequences


def test_a_chain_ends_with_its_first_failure() -> None:
    values = [0.01, 0.05, 0.06, 0.0]
    asked = []

    def p_of(chain: int, place: int) -> float:
        asked.append((chain, place))
        return values[place]

    assert fixed_sequences([4], p_of, 0.05) == [(0, 0), (0, 1)]
    assert asked == [(0, 0), (0, 1), (0, 2)], "what is not reached is not measured"


def test_one_chain_is_mapies_fixed_sequence() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = np.sort(rng.exponential(0.04, 6)) * rng.uniform(0.2, 2)
        rng.shuffle(values[3:])
        expected = sorted(control_fwer(values, 0.1, "fixed_sequence").tolist())
        assert [place for _, place in fixed_sequences([6], lambda _, p, v=values: v[p], 0.1)] == expected


def test_chains_share_and_hand_on() -> None:
    values = [[0.02, 0.02], [0.02, 0.04]]
    found = fixed_sequences([2, 2], lambda c, p: values[c][p], 0.05)
    assert found == [(0, 0), (0, 1), (1, 0), (1, 1)], "the second has all of the share when the first is through"
    values = [[0.02, 0.03], [0.02, 0.03]]
    assert fixed_sequences([2, 2], lambda c, p: values[c][p], 0.05) == [(0, 0), (1, 0)]
    values = [[0.02, 0.04], [0.02, 0.02]]
    assert len(fixed_sequences([2, 2], lambda c, p: values[c][p], 0.05)) == 4, "and the other way round"


@pytest.mark.parametrize("n_videos", [45, 250])
def test_the_guarantee_holds_in_simulation(n_videos: int) -> None:
    """200 trials: a setting whose risk is above the target is certified in at most `delta` of them, and noise.

    The leak rate of a video rises with the threshold; two margins. The first setting that must not be certified is
    just at the target, which is the hardest case.
    """
    delta, target, trials = 0.1, 0.1, 200
    risks = np.array([[0.005, 0.04, 0.1, 0.105, 0.3], [0.03, 0.1, 0.101, 0.2, 0.5]])
    rng = np.random.default_rng(7)
    wrong = useful = 0
    for _ in range(trials):
        hardness, amount = rng.random(n_videos), rng.beta(1, 1, n_videos)

        def p_of(chain: int, place: int, h: np.ndarray = hardness, a: np.ndarray = amount) -> float:
            sample = np.where(h < 2 * risks[chain, place], a, 0.0)
            return p_value(sample, target, delta, method_for(n_videos))

        certified = fixed_sequences([5, 5], p_of, delta)
        wrong += any(risks[key] >= target for key in certified)
        useful += (0, 0) in certified
    assert wrong / trials <= delta + 3 * np.sqrt(delta * (1 - delta) / trials)
    assert useful / trials > 0.8, "a guarantee that certifies nothing would be cheap"
