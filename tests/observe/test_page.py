from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from anonflow.observe.course import Course
from anonflow.observe.page import run_page, shown_bytes, shown_seconds
from anonflow.observe.statistics import RunStatistics
from anonflow.page.page import render
from anonflow.pipeline.report import build_report
from tests.observe.test_statistics import SECRET, added, published, quarantined, unchanged
from tests.pipeline.worlds import configuration


def report(statistics: RunStatistics, n_points: int = 50, outcomes: Any = ()) -> Any:
    config = replace(configuration(), input=f"/home/{SECRET}", output=f"/out/{SECRET}")
    course = Course(iter([0.0, *(n * 1.0 for n in range(n_points))]).__next__)
    for n in range(n_points):
        course.add(
            {"planned": n, "ended": n // 2, "planned_frames": 9 * n, "detected_frames": n, "masked_frames": n}
        )
    made = build_report(config, "run1", outcomes, wall_s=12.3, passed_over={".jpg": 3})
    return made | {"statistics": statistics.to_json(), "course": course.to_json()}


def html(statistics: RunStatistics, **values: Any) -> str:
    return render(run_page(report(statistics, **values)))


def test_the_page_has_all_that_a_reader_asks_for() -> None:
    outcomes = [*(published(n, psnr_db=40.0 + n) for n in range(8)), quarantined(8), quarantined(9), unchanged(10)]
    page = html(added(*outcomes), outcomes=outcomes)
    for title in (
        "Totals",
        "Outcomes",
        "Quarantined",
        "Sources over time",
        "Frames over time",
        "Stage times",
        "PSNR outside of the masks",
        "Videos",
        "Checks of videos",
        "Models",
        "Masks",
        "Versions",
        "Configuration",
    ):
        assert f"<h2>{title}</h2>" in page, title
    assert "8 published, 1 unchanged, 2 quarantined" in page
    assert "damaged" in page and "chunk.length_s" in page and page.count("<svg") >= 5


def test_nothing_is_fetched_and_nothing_is_named() -> None:
    outcomes = [*(published(n, psnr_db=40.0 + n) for n in range(8)), quarantined(8)]
    page = html(added(*outcomes), outcomes=outcomes)
    assert SECRET not in page and "<script" not in page
    fetched = re.findall(r"""(?:src|href)=["'](?!#)([^"']*)""", page)
    assert [address for address in fetched if not address.startswith("data:")] == []


def test_the_page_is_as_small_for_many_videos() -> None:
    few, many = (html(added(*(published(n) for n in range(count))), n_points=count) for count in (400, 4000))
    assert len(many) < 1.2 * len(few) < 400_000


@pytest.mark.parametrize("outcomes", [(), (quarantined(1),), (published(1, kind="picture", frames=0),)])
def test_a_run_without_videos_has_a_page(outcomes: Any) -> None:
    assert "<h2>Models</h2>" in html(added(*outcomes), n_points=0, outcomes=outcomes)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(3.21, "3.2 s"), (119.0, "119.0 s"), (150, "2 min 30 s"), (7_260, "2 h 01 min")]
)
def test_times_are_readable(seconds: float, shown: str) -> None:
    assert shown_seconds(seconds) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1.5 * 2**30, "1.5 GiB"), (2.0**60, "1024.0 PiB")],
)
def test_sizes_are_readable(size_bytes: float, shown: str) -> None:
    assert shown_bytes(size_bytes) == shown


@pytest.mark.parametrize(("n_points", "unit"), [(50, "seconds"), (900, "minutes"), (40_000, "hours")])
def test_the_time_axis_has_the_unit_that_fits(n_points: int, unit: str) -> None:
    assert f"{unit} since the start" in html(added(published(1)), n_points=n_points)
