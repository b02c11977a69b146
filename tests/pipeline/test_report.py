from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anonflow.config import RegionConfig, VideoRegions
from anonflow.pipeline.report import Tally, Totals, build_report, public_frame, write_report
from anonflow.pipeline.rows import Outcome
from anonflow.storage import readable_json
from anonflow.types import Status
from tests.pipeline.worlds import configuration

SECRET = "anna-schmidt"
TIMES = {"detect": {"wall_s": 1.0, "cpu_s": 2.0}, "mask": {"wall_s": 3.0, "cpu_s": 4.0}}


def published(name: Any, status: Any = Status.PUBLISHED) -> Any:
    details = {"objects": {"face": 2, "plate": 1}, "stage_seconds": TIMES, "checks": [], "providers": ["cpu"]}
    uri, result = f"/home/{SECRET}/{name}.mp4", f"/out/{SECRET}/{name}.mp4"
    return Outcome(uri, f"id{name}", status, 1, "fp", output_uri=result, frames=10, duration_s=0.4, details=details)


def quarantined(name: Any) -> Any:
    uri = f"/home/{SECRET}/{name}.mp4"
    return Outcome(uri, f"id{name}", Status.QUARANTINED, 1, "fp", reason="damaged", message=f"{uri}: cut off")


OUTCOMES = [published("b"), quarantined("c"), published("a", Status.UNCHANGED)]


def report(*overrides: str, **values: Any) -> Any:
    config = replace(configuration(*overrides), input=f"/home/{SECRET}", output=f"/out/{SECRET}")
    return build_report(config, "run1", OUTCOMES, wall_s=1.23456, passed_over={".jpg": 3}, **values)


def test_totals_are_of_this_runs_own_work() -> None:
    totals = Totals.of([*OUTCOMES, published("d")])
    assert (totals.published, totals.unchanged, totals.quarantined) == (2, 1, 1)
    assert totals.frames == 20 and totals.objects == {"face": 4, "plate": 2}
    assert totals.stage_seconds == {"detect": {"wall_s": 2, "cpu_s": 4}, "mask": {"wall_s": 6, "cpu_s": 8}}


def test_nothing_adds_up_to_nothing() -> None:
    assert Totals.of([]) == Totals(0, 0, 0, 0, {}, {})


def test_the_report_says_what_a_run_was_made_of() -> None:
    made = report("mask=pixelate")
    assert made["configuration"]["chunk"]["length_s"] == 20
    assert {m["detector"]: len(m["sha256"]) for m in made["models"]} == {"face": 64, "plate": 64}
    assert all(m["licence"] and m["origin"] for m in made["models"])
    assert made["masks"]["face"] == {"operator": "pixelate", "strength": "weak"}
    assert made["masks"]["plate"] == {"operator": "solid", "strength": "strong"}
    assert made["versions"]["av"] and made["versions"]["python"]
    assert made["files_passed_over"] == {".jpg": 3} and made["wall_s"] == 1.235


def test_the_report_has_every_video_by_id() -> None:
    videos = report()["videos"]
    assert [(v["video_id"], v["status"]) for v in videos] == [
        ("ida", "unchanged"),
        ("idb", "published"),
        ("idc", "quarantined"),
    ]
    assert videos[2]["reason"] == "damaged"


def test_the_report_is_json() -> None:
    assert json.loads(json.dumps(report()))["run_id"] == "run1"


def test_no_name_of_a_file_stands_in_the_report() -> None:
    assert SECRET not in json.dumps(report())


@pytest.mark.parametrize(
    "override",
    [
        f"runtime.work_dir=/data/{SECRET}/work",
        f"runtime.model_cache=/home/{SECRET}/models",
        f"runtime.model_dirs=[/home/{SECRET}/models]",
        f"detector.face.model.uri=file:/home/{SECRET}/face.onnx",
        f"runtime.lineage.file=/home/{SECRET}/events.jsonl",
        f"runtime.lineage.url=https://user:{SECRET}@lineage.example",
    ],
)
def test_no_path_of_the_configuration_stands_in_the_report(override: str) -> None:
    assert SECRET not in json.dumps(report(override))


def test_the_report_has_the_regions_that_were_drawn_but_not_whose_they_are() -> None:
    drawn = VideoRegions(f"{SECRET}/*.mp4", hide=(RegionConfig(box=(0.0, 0.25, 1.0, 0.5)),))
    config = replace(configuration(), regions=[drawn])
    made = json.loads(json.dumps(build_report(config, "run1", OUTCOMES, wall_s=1.0, passed_over={})))
    assert SECRET not in json.dumps(made["configuration"])
    (entry,) = made["configuration"]["regions"]
    assert entry["hide"][0]["box"] == [0.0, 0.25, 1.0, 0.5] and "left out" in entry["videos"]


def picture(name: str, kind: str = "JPEG") -> Outcome:
    checks = {"equal": 9, "changed by policy": {"metadata": "removed: exif.Make"}}
    details = {
        "objects": {"face": 3},
        "stage_seconds": TIMES,
        "checks": checks,
        "format": kind,
        "providers": ["cpu"],
    }
    return Outcome(f"/{SECRET}/{name}", name, Status.PUBLISHED, 1, "fp", kind="picture", details=details)


def test_pictures_are_told_together_and_apart_from_videos() -> None:
    refused = replace(quarantined("x"), kind="picture")
    outcomes = [published("b"), picture("1"), picture("2"), picture("3", "PNG"), refused]
    totals = Totals.of(outcomes)
    assert (totals.published, totals.pictures, totals.frames, totals.quarantined) == (4, 3, 10, 1)
    assert totals.objects == {"face": 2, "plate": 1} and totals.picture_objects == {"face": 9}
    made = build_report(configuration(), "run1", outcomes, wall_s=1, passed_over={})
    assert len(made["videos"]) == 1
    assert made["pictures"]["formats"] == {"JPEG": 2, "PNG": 1} and made["pictures"]["reasons"] == {"damaged": 1}
    assert made["pictures"]["checks"]["equal"] == 27
    assert made["pictures"]["checks"]["changed by policy"] == {"metadata": 3}
    assert SECRET not in json.dumps(made)


@pytest.mark.parametrize("outcomes", [[], OUTCOMES, [*OUTCOMES, picture("1")]])
def test_a_report_that_is_written_piece_by_piece_is_the_same(outcomes: Any, tmp_path: Path) -> None:
    path, config = tmp_path / "report.json", configuration()
    whole = build_report(config, "run1", outcomes, wall_s=2.0, passed_over={})
    by_id = iter(sorted(outcomes, key=lambda o: o.video_id))
    write_report(path, public_frame(config, "run1", Tally.of(outcomes), wall_s=2.0, passed_over={}), by_id)
    assert path.read_text() == readable_json(whole)
