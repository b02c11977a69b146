from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import permutation_test

from anonflow.calibrate.compare import differences, holm, paired, read_evaluation, standings
from anonflow.errors import ConfigError
from tests.calibrate.evaluations import written

RNG = np.random.default_rng(0)
BASE = RNG.integers(40, 90, 25)


def test_a_small_gain_in_every_video_is_seen_because_videos_are_paired(tmp_path: Path) -> None:
    """Videos differ by tens, the two evaluations by two: without pairing nobody could tell."""
    runs = [written(tmp_path / "a", BASE), written(tmp_path / "b", BASE + RNG.integers(1, 4, 25))]
    found = differences(paired([read_evaluation(run) for run in runs]), 0.95, 1000, 0)
    (recall,) = [d for d in found if d.metric == "recall"]
    assert (recall.name, recall.label) == ("b", "face")
    assert 0 < recall.low < recall.difference < recall.high < 0.04 and recall.p_adjusted < 0.05
    assert recall.first == pytest.approx(BASE.mean() / 100)


def test_no_difference_is_rarely_called_one(tmp_path: Path) -> None:
    wrong = 0
    for trial in range(60):
        rng = np.random.default_rng(trial)
        runs = [written(tmp_path / f"{trial}{n}", np.clip(BASE + rng.integers(-9, 10, 25), 0, 100)) for n in "ab"]
        found = differences(paired([read_evaluation(run) for run in runs]), 0.9, 200, trial)
        wrong += any(d.p_adjusted <= 0.1 for d in found)
    assert wrong / 60 <= 0.1 + 3 * np.sqrt(0.09 / 60)


def test_the_p_value_is_that_of_scipys_permutation_test(tmp_path: Path) -> None:
    other = np.clip(BASE + np.random.default_rng(3).integers(-6, 9, 25), 0, 100)
    runs = [written(tmp_path / "a", BASE), written(tmp_path / "b", other)]
    found = differences(paired([read_evaluation(run) for run in runs]), 0.95, 100, 0)
    (recall,) = [d for d in found if d.metric == "recall"]
    result = permutation_test(
        (BASE, other),
        lambda a, b: abs(a.mean() - b.mean()),
        permutation_type="samples",
        alternative="greater",
        n_resamples=4000,
        rng=np.random.default_rng(1),
    )
    assert recall.p_value == pytest.approx(result.pvalue, abs=0.04)


def test_holms_correction_by_hand() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.9, 0.8])), [1.0, 1.0])
    assert len(holm(np.zeros(0))) == 0


def test_the_front_holds_what_nobody_beats(tmp_path: Path) -> None:
    ones = np.ones(25)
    runs = [
        written(tmp_path / "good", BASE + 5, ones, 5.0),
        written(tmp_path / "fast", BASE, ones, 50.0),
        written(tmp_path / "beaten", BASE, 2 * ones, 4.0),
        written(tmp_path / "tight", BASE - 5, ones / 2, 5.0),
        written(tmp_path / "unknown", BASE - 9, ones, None),
    ]
    rows = standings(paired([read_evaluation(run) for run in runs]), "face")
    assert [(row.name, row.is_on_front) for row in rows] == [
        ("good", True),
        ("fast", True),
        ("beaten", False),
        ("tight", True),
        ("unknown", False),
    ]


def test_other_videos_cannot_be_compared(tmp_path: Path) -> None:
    runs = [read_evaluation(written(tmp_path / n, BASE[:k])) for n, k in (("a", 25), ("b", 24))]
    with pytest.raises(ConfigError, match="same videos"):
        paired(runs)
    with pytest.raises(ConfigError, match="holds no evaluation"):
        read_evaluation(tmp_path)


def test_equal_names_are_told_apart(tmp_path: Path) -> None:
    runs = [read_evaluation(written(tmp_path / n / "eval", BASE)) for n in "ab"]
    assert [run.name for run in paired(runs)] == ["eval (1)", "eval (2)"]
