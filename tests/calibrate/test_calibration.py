from __future__ import annotations

import numpy as np
import pytest

from anonflow.calibrate import calibration
from anonflow.calibrate.calibration import Calibration
from anonflow.calibrate.generated import generated
from anonflow.errors import ConfigError
from tests.calibrate.worlds import configured, leaks

UNITS = generated(160, 0)


@pytest.fixture(autouse=True)
def measured_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A stand-in for tracking: the strict half of the thresholds leaks. Every call is written down."""
    asked: list[float] = []

    def measure(
        units: list[object], config: object, threshold: float, margins: list[float], judge: object
    ) -> object:
        asked.append(threshold)
        return [leaks(np.full(len(units), 0.0 if threshold < 0.35 else 0.4), 1 - threshold) for _ in margins]

    monkeypatch.setattr(calibration, "measure", measure)
    return asked


def made(*overrides: str) -> Calibration:
    config = configured(*overrides)
    return Calibration(config, config.calibration, UNITS, ("face", "plate"))


def test_every_threshold_is_measured_once_and_none_in_vain(measured_once: list[float]) -> None:
    work = made("split.folds=2", "split.test_share=0.3")
    answer = work.answer(work.calibration_rows)
    assert answer.chosen is not None and answer.chosen.threshold == 0.3
    told = work.told(answer)
    assert measured_once == [0.1, 0.15, 0.2, 0.25, 0.3, 0.4]
    assert [fold["chosen"]["threshold"] for fold in told["cross_validation"]] == [0.3, 0.3]
    assert told["test"]["leak_rate"] == 0 and told["test"]["videos"] + answer.n_units == len(UNITS)


def test_groups_stay_together_and_the_order_is_drawn() -> None:
    work = made("split.test_share=0.2")
    groups = [{work.units[row].group for row in rows} for rows in (work.calibration_rows, work.test_rows)]
    assert groups[0] and groups[1] and not groups[0] & groups[1]
    assert [unit.name for unit in work.units] != [unit.name for unit in UNITS]
    assert [unit.name for unit in made().units] == [unit.name for unit in work.units]


def test_the_grid_goes_from_permissive_to_strict_and_not_below_the_floor() -> None:
    work = made("grid.thresholds=[0.5,0.01,0.02]", "grid.margins=[0.1,0.4]")
    assert work.grid.thresholds == (0.05, 0.5) and work.grid.margins == (0.4, 0.1)


def test_costs_may_choose_alone() -> None:
    work = made("target.leak_rate=null", "costs.miss_per_s=1", "costs.false_mask_per_s=100")
    answer = work.answer(work.calibration_rows)
    assert answer.chosen is not None and answer.chosen.threshold == 0.7 and not answer.chosen.certified


@pytest.mark.parametrize(
    "override",
    [
        "target.leak_rate=null",
        "target.leak_rate=1",
        "confidence=0.4",
        "costs.miss_per_s=1",
        "grid.thresholds=[]",
        "grid.margins=[0.1,0.1]",
        "grid.margins=[9]",
        "split.test_share=1",
        "split.folds=1",
        "generated.videos=0",
        "name=a/b",
        "labels=[]",
        "archive_videos=0",
        "covered_share=0",
    ],
)
def test_what_makes_no_sense_is_refused(override: str) -> None:
    with pytest.raises(ConfigError):
        configured(override)
