from __future__ import annotations

from anonflow.evaluate.intervals import Bootstrap
from anonflow.evaluate.judge import Settings, judge
from anonflow.evaluate.pages import Costs, evaluation_page
from anonflow.evaluate.results import Results
from anonflow.page.page import render
from tests.evaluate.samples import LABELS, picture, video
from tests.evaluate.test_results import results


def titles(of: Results, gallery: bytes | None = None, notes: tuple[str, ...] = ()) -> list[str]:
    page = evaluation_page(of, {"data": "coco"}, Costs(20, 1), gallery, notes)
    assert render(page).startswith("<!doctype html>")
    return [part.title for part in page.parts]


def test_curves_costs_sweep_and_groups_are_shown() -> None:
    got = titles(results(), notes=("by a rule",))
    for title in (
        "Detection",
        "Frames told apart",
        "Masks",
        "Precision over recall: face",
        "F-score over threshold: face",
        "Expected cost over threshold: face",
        "Leak rate over threshold and margin: face",
        "To know",
    ):
        assert title in got
    assert "The worst misses" not in got and "Confidential" not in got and "Tracking" not in got


def test_a_gallery_comes_with_its_warning_first() -> None:
    got = titles(results(), gallery=b"png")
    assert got[0] == "Confidential" and "The worst misses" in got


def test_videos_have_tracking_and_the_lead_says_what_leaks() -> None:
    made = judge([video("steady")], LABELS, LABELS, dict.fromkeys(LABELS, 0.2), Settings(bootstrap=Bootstrap(0)))
    of = Results(made.metrics, made, [video("steady")], [])
    assert {"The worst group", "Groups of objects"} <= set(titles(of))
    assert "Tracking" in titles(of)
    page = evaluation_page(of, {}, Costs(1, 1), None, ())
    assert page.lead.startswith("face: ") and "% of object-frames leak" in page.lead


def test_nothing_to_judge_is_said() -> None:
    made = judge([picture([])], LABELS, ["face"], {"face": 0.2}, Settings(bootstrap=Bootstrap(0)))
    of = Results(made.metrics, made, [picture([])], [])
    assert evaluation_page(of, {}, Costs(1, 1), None, ()).lead == "There are no objects to judge."
    assert "Precision over recall: face" not in titles(of)
