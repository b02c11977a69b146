from __future__ import annotations

import json
from typing import Any

from anonflow.observe.statistics import RunStatistics
from anonflow.pipeline.rows import Outcome
from anonflow.types import Status

SECRET = "anna-schmidt"


def published(number: int, *, frames: int = 100, psnr_db: float | None = 42.0, kind: str = "video") -> Outcome:
    details: dict[str, Any] = {
        "objects": {"face": 1},
        "stage_seconds": {"detect": {"wall_s": 2.0 + number, "cpu_s": 4.0}, "mask": {"wall_s": 1.0, "cpu_s": 1.0}},
    }
    if kind == "video":
        details |= {
            "masked_frames": 25,
            "hidden_damaged_frames": 1,
            "checks": [
                {"name": "frames", "verdict": "equal", "detail": ""},
                {"name": "timing", "verdict": "changed by policy", "detail": ""},
            ],
            "video": {
                "copied_frames": 5,
                "rate_ratio": 0.5,
                "psnr_db": {"mean": psnr_db, "min": psnr_db, "target": 42.0},
            },
        }
    else:
        details |= {"checks": {"equal": 3, "changed by policy": {}}, "format": "JPEG"}
    uri = f"/in/{SECRET}{number}"
    return Outcome(
        uri,
        f"id{number:05d}",
        Status.PUBLISHED,
        10,
        "fp",
        output_bytes=5,
        frames=frames,
        kind=kind,
        details=details,
    )


def quarantined(number: int, reason: str = "damaged") -> Outcome:
    uri = f"/in/{SECRET}{number}"
    return Outcome(uri, f"id{number:05d}", Status.QUARANTINED, 10, "fp", reason=reason, message=f"{uri}: cut off")


def unchanged(number: int) -> Outcome:
    return Outcome(f"/in/{SECRET}{number}", f"id{number:05d}", Status.UNCHANGED, 10, "fp", frames=7)


def added(*outcomes: Outcome) -> RunStatistics:
    statistics = RunStatistics()
    for outcome in outcomes:
        statistics.add(outcome)
    return statistics


def test_sums_are_of_what_was_published() -> None:
    made = added(published(0), published(1), quarantined(2), quarantined(3, "empty"), unchanged(4))
    assert (made.source_bytes, made.output_bytes, made.frames, made.masked_frames) == (20, 10, 200, 50)
    assert (made.copied_frames, made.hidden_damaged_frames) == (10, 2)
    assert made.statuses == {"published": 2, "quarantined": 2, "unchanged": 1}
    assert made.reasons == {"damaged": 1, "empty": 1}
    assert made.to_json()["checks"] == [["frames", 2, 0], ["timing", 0, 2]]


def test_distributions_are_over_videos() -> None:
    told = added(*(published(n, psnr_db=30.0 + n) for n in range(20))).to_json()
    assert (told["psnr_db"]["min"], told["psnr_db"]["max"]) == (30, 49)
    assert told["wall_s"]["detect"]["n"] == 20 and told["wall_s"]["detect"]["max"] == 21
    assert told["masked_share"]["p50"] == 0.25 and told["rate_ratio"]["p50"] == 0.5


def test_the_worst_are_named_by_id_and_few() -> None:
    told = added(*(published(n, psnr_db=30.0 + n) for n in range(50))).to_json()
    assert [name for name, _ in told["lowest_psnr_db"]] == [f"id{n:05d}" for n in range(10)]
    assert told["lowest_psnr_db"][0] == ["id00000", 30.0]
    assert told["slowest_s_per_frame"][0] == ["id00049", round((2.0 + 49 + 1.0) / 100, 4)]


def test_a_video_without_a_measured_quality_counts_in_all_else() -> None:
    told = added(published(0, psnr_db=None)).to_json()
    assert told["psnr_db"]["n"] == 0 and told["frames"] == 100 and told["lowest_psnr_db"] == []


def test_pictures_count_as_outcomes_and_bytes() -> None:
    told = added(published(0, kind="picture", frames=0)).to_json()
    assert told["outcomes"] == [["picture", "published", "", 1]] and told["output_bytes"] == 5
    assert told["frames"] == 0 and told["wall_s"] == {}


def test_no_file_is_named_and_the_size_does_not_grow() -> None:
    few, many = (json.dumps(added(*(published(n) for n in range(n_videos))).to_json()) for n_videos in (300, 3000))
    assert SECRET not in many and len(many) < 1.3 * len(few) < 30_000


def test_nothing_adds_up_to_nothing() -> None:
    told = json.loads(json.dumps(RunStatistics().to_json()))
    assert told["outcomes"] == [] and told["psnr_db"]["n"] == 0
