"""One calibration from its videos to its answer, its test and its cross-validation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np

from anonflow.calibrate.choose import Answer, Costs, Grid, Targets, bounds_of, certify, cheapest, mean_with_objects
from anonflow.calibrate.groups import folds, split
from anonflow.calibrate.units import Judge, Leaks, Unit, content_sha256, measure
from anonflow.config import HidingConfig
from anonflow.config.calibration import CalibrationConfig
from anonflow.types import IntArray

log = logging.getLogger("anonflow")


class Calibration:
    """One calibration: units are measured once, whatever part of them is asked about."""

    def __init__(
        self, config: HidingConfig, wanted: CalibrationConfig, units: Sequence[Unit], labels: tuple[str, ...]
    ) -> None:
        """Take the units in an order that does not depend on what leaks: betting depends on it."""
        order = np.random.default_rng(wanted.split.seed).permutation(len(units))
        self.config, self.wanted, self.labels = config, wanted, labels
        self.units = [units[place] for place in order.tolist()]
        self._judge = Judge(labels, wanted.covered_share, wanted.min_visible)
        self._measured: dict[float, list[Leaks]] = {}
        lowest = min(d.floor for d in config.detector.values() if set(labels) & set(d.model.classes.values()))
        self.grid = Grid(
            tuple(sorted({max(t, lowest) for t in wanted.grid.thresholds})),
            tuple(sorted(wanted.grid.margins, reverse=True)),
        )
        self.targets = Targets(wanted.target.leak_rate, wanted.target.leaked_object_share)
        self.delta = 1 - wanted.confidence
        groups = [unit.group or unit.name for unit in self.units]
        self.calibration_rows, self.test_rows = split(groups, wanted.split.test_share, wanted.split.seed)
        self._groups = groups

    @cached_property
    def costs(self) -> Costs | None:
        """What errors cost, if that is said."""
        said = self.wanted.costs
        if said.miss_per_s is None or said.false_mask_per_s is None:
            return None
        return Costs(said.miss_per_s, said.false_mask_per_s)

    def leaks(self, threshold: float, rows: IntArray) -> list[Leaks]:
        """What some units leak at a threshold, for each margin."""
        if threshold not in self._measured:
            log.info("Threshold %g: planning the masks of %d videos anew", threshold, len(self.units))
            self._measured[threshold] = measure(self.units, self.config, threshold, self.grid.margins, self._judge)
        return [leaks.of(rows) for leaks in self._measured[threshold]]

    def answer(self, rows: IntArray) -> Answer:
        """The answer of these units."""
        if self.targets.items():
            return certify(lambda t: self.leaks(t, rows), self.grid, self.targets, self.delta, self.costs)
        assert self.costs is not None, "checked by the configuration"
        return cheapest(lambda t: self.leaks(t, rows), self.grid, self.costs, self.delta)

    def at(self, answer: Answer, rows: IntArray) -> Leaks:
        """What some units leak at the chosen setting."""
        assert answer.chosen is not None
        return self.leaks(answer.chosen.threshold, rows)[self.grid.margins.index(answer.chosen.margin)]

    def test(self, answer: Answer) -> dict[str, Any] | None:
        """What the answer leaks of the videos that it was not chosen by."""
        if not len(self.test_rows):
            return None
        leaks = self.at(answer, self.test_rows)
        return {
            "videos": len(leaks),
            "leak_rate": mean_with_objects(leaks, "leak_rate"),
            "leaked_object_share": mean_with_objects(leaks, "leaked_object_share"),
            "upper_bounds": bounds_of(leaks, self.delta),
        }

    def folds(self) -> list[dict[str, Any]]:
        """What each part of a cross-validation chooses, and what that leaks of the videos left out."""
        how = self.wanted.split
        found = []
        for calibrating, tested in folds(self._groups, how.folds, how.seed) if how.folds else []:
            answer = self.answer(calibrating)
            chosen = answer.chosen
            leaks = mean_with_objects(self.at(answer, tested), "leak_rate") if chosen else None
            setting = {"threshold": chosen.threshold, "margin": chosen.margin} if chosen else None
            found.append({"calibrated_on": len(calibrating), "chosen": setting, "leak_rate_left_out": leaks})
        return found

    def told(self, answer: Answer) -> dict[str, Any]:
        """Everything that was tried and found, as JSON."""
        return {
            "answer": asdict(answer),
            "labels": list(self.labels),
            "confidence": self.wanted.confidence,
            "test": self.test(answer) if answer.chosen else None,
            "cross_validation": self.folds(),
            "set_sha256": content_sha256(self.units),
        }
