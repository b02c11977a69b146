from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from anonflow.calibrate.assessment import Evidence, assessment
from anonflow.calibrate.choose import Costs, Grid, Targets, certify, cheapest
from anonflow.page.markdown import markdown
from anonflow.page.page import render
from tests.calibrate.test_record import recorded
from tests.calibrate.worlds import configured, leaks, measured

GRID = Grid((0.3,), (0.15,))
RATES = np.r_[np.full(4, 0.1), np.zeros(196)]


def evidence(**changes: Any) -> Evidence:
    answer = certify(measured(lambda t, m: RATES), GRID, Targets(0.05), 0.05, None)
    record = recorded().policy["calibration"]
    base = Evidence(record, answer, {"leak_rate": 0.05}, leaks(RATES), False, 9, 1000, None, False)
    return replace(base, **changes)


def test_it_says_target_evidence_bound_and_what_is_left() -> None:
    page = assessment(evidence(), recorded())
    said = markdown(page)
    assert page.lead == "Certified: leak rate below 0.05, with confidence 0.95, for videos like those measured."
    titles = [part.title for part in page.parts]
    for title in ("Target and result", "Evidence", "Residual risk", "Mask strength", "Models", "Known limits"):
        assert title in titles
    assert "| archive (videos) | 1 000 |" in said
    assert "| objects uncovered in one frame at least, expected in the archive | 20 (" in said
    assert "retinaface-mnet025" in said and "MIT" in said and "Apache-2.0" in said
    assert "Art. 32(1)(d)" in said and "no legal advice" in said and "Neither standard is claimed" in said
    assert "<svg" in render(page)


def test_weak_masks_are_called_weak() -> None:
    config = configured("mask=blur")
    said = markdown(assessment(evidence(), config))
    assert "WEAK" in said and "Weak masks: face." in said
    assert "Weak masks" not in markdown(assessment(evidence(), configured()))


def test_a_choice_by_cost_is_not_called_certified() -> None:
    answer = cheapest(measured(lambda t, m: RATES), GRID, Costs(1, 1), 0.05)
    page = assessment(evidence(answer=answer, targets={}), recorded())
    assert page.lead.startswith("Not certified, chosen by expected cost")


@pytest.mark.parametrize("is_held_out", [True, False])
def test_a_test_apart_needs_no_correction(is_held_out: bool) -> None:
    test = {"videos": 200, "leak_rate": 0.002, "leaked_object_share": 0.02, "upper_bounds": {"leak_rate": 0.01}}
    page = assessment(evidence(is_held_out=is_held_out, test=test if is_held_out else None), recorded())
    assert ("Test on videos that were kept apart" in [part.title for part in page.parts]) == is_held_out
    assert ("corrected for the choice" in markdown(page)) != is_held_out
