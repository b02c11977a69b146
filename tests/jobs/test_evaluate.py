"""The job with the real stages in this process; one run as its users start it is in the slow tests."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from rich.console import Console

from anonflow.errors import ConfigError, TruthError
from anonflow.jobs import evaluate as job
from anonflow.pipeline import planned
from tests.config.test_evaluation import composed
from tests.media import Clip, make_clip
from tests.pipeline.test_planned import in_this_process
from tests.pipeline.worlds import FixedDetector, use_detector
from tests.runs import anonflow

SMALL = ["detector=faces", "detector.face.max_upscale=1", "judge.bootstrap.samples=50", "judge.min_count=1"]
SEEN = (10.0, 8.0, 40.0, 40.0)
MISSED = (60.0, 30.0, 90.0, 60.0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two pictures and their annotations: one face that the detector sees, one that it does not."""
    folder = tmp_path / "data"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    for name in ("a", "b"):
        Image.fromarray(noise).save(folder / f"{name}.png")
    x1, y1, x2, y2 = SEEN
    boxes = [[x1, y1, x2 - x1, y2 - y1], [60, 30, 30, 30]]
    content = {
        "images": [{"id": n, "file_name": f"{name}.png"} for n, name in enumerate("ab")],
        "categories": [{"id": 1, "name": "face"}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": box, "pose": "front"} for n, box in enumerate(boxes)
        ],
    }
    (folder / "truth.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr(planned, "_computed", in_this_process)
    use_detector(monkeypatch, FixedDetector(boxes=(SEEN,)))

    def running(*overrides: str) -> tuple[int, Any]:
        config = composed(f"output={tmp_path}/eval", *SMALL, *overrides)
        code = job._run(config, Console(file=io.StringIO()))
        return code, json.loads((tmp_path / "eval" / "metrics.json").read_text())

    return running


def test_metrics_are_where_users_look_for_them(run: Any, data: Path, tmp_path: Path) -> None:
    code, metrics = run(f"data.path={data}")
    face = metrics["detection"]["face"]
    assert code == 0
    assert (face["objects"], face["recall"], face["precision"]) == (2, 0.5, 0.5)
    assert face["ap50"] == pytest.approx(51 / 101) and face["wider"] if "wider" in face else face["ap50"]
    assert metrics["masks"]["face"]["leak_rate"] == 0.5 and metrics["masks"]["face"]["missed_objects"] == 1
    assert metrics["run"]["models"]["face"]["id"] == "retinaface-mnet025"
    assert metrics["speed"]["models"]["retinaface-mnet025"]["pictures"] == 2
    assert metrics["data"] | {"notes": []} == {
        "format": "coco",
        "judged_labels": ["face"],
        "left_out_unlabeled": 0,
        "left_out_unreadable": 0,
        "notes": [],
        "pictures": 2,
        "video_s": 0.0,
        "videos": 0,
    }
    written = {path.name for path in (tmp_path / "eval").iterdir() if path.is_file()}
    assert written == {
        "metrics.json", "items.parquet", "slices.parquet", "curves.parquet", "sweep.parquet", "report.html"
    }  # fmt: skip
    assert [p for p in (tmp_path / "eval").rglob("*") if p.is_file() and p.name not in written] == []


def test_nothing_personal_is_written_unless_asked(run: Any, data: Path, tmp_path: Path) -> None:
    (data / "a.png").rename(data / "mrs-jones.png")
    truth = data / "truth.json"
    truth.write_text(truth.read_text().replace("a.png", "mrs-jones.png"))
    run(f"data.path={data}")
    for path in (tmp_path / "eval").iterdir():
        if path.is_file():
            content = path.read_bytes()
            assert b"mrs-jones" not in content and b"data:image" not in content, path
    assert pq.read_table(tmp_path / "eval" / "items.parquet")["name"].null_count == 2
    run(f"data.path={data}", "report.names=true", "report.gallery=true")
    assert "mrs-jones.png" in pq.read_table(tmp_path / "eval" / "items.parquet")["name"].to_pylist()
    page = (tmp_path / "eval" / "report.html").read_text()
    assert "data:image/png" in page and "shows unmasked faces" in page


def test_all_models_of_an_ensemble_are_named(tmp_path: Path) -> None:
    config = composed(f"output={tmp_path}", f"data.path={tmp_path}", "detector=ensemble")
    models = job._about_run(config)["models"]
    named = {name: model["id"] for name, model in models.items()}
    assert named == {"face": "retinaface-mnet025", "face.second": "centerface", "plate": "clp-det"}
    assert all(model["sha256"] and model["licence"] for model in models.values())


def test_a_video_with_tracks(run: Any, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    make_clip(folder / "clip.mp4", Clip(n_frames=20))
    lines = [f"{n},1,10,8,30,32,1,1,1" for n in range(1, 21)]
    (folder / "clip_gt.txt").write_text("\n".join(lines))
    _, metrics = run(f"data.path={folder}", "data.labels={1: face}")
    assert metrics["tracking"]["face"] | {} == pytest.approx(
        {"hota": 1, "det_a": 1, "ass_a": 1, "loc_a": 1, "idf1": 1, "mota": 1, "id_switches": 0, "fragments": 0}
    )
    masks = metrics["masks"]["face"]
    assert (masks["leak_rate"], masks["exposure_s"], masks["false_tracks"], masks["tracks"]) == (0, 0, 0, 1)
    sweep = pq.read_table(tmp_path / "eval" / "sweep.parquet").to_pylist()
    assert {row["leaking_frames"] for row in sweep if row["threshold"] <= 0.8} == {0}


def test_what_cannot_be_read_is_left_out_and_told(run: Any, data: Path, caplog: pytest.LogCaptureFixture) -> None:
    (data / "b.png").write_bytes(b"no picture")
    code, metrics = run(f"data.path={data}")
    assert (
        code == 3 and metrics["data"]["left_out_unreadable"] == 1 and metrics["detection"]["face"]["objects"] == 1
    )


def test_wrong_truth_and_regions_are_refused(run: Any, data: Path) -> None:
    with pytest.raises(TruthError, match="annotation 1: the box has no area"):
        truth = data / "truth.json"
        truth.write_text(truth.read_text().replace("60, 30, 30, 30", "60, 30, 0, 30"))
        run(f"data.path={data}")
    regions = data / "regions.yaml"
    regions.write_text('- videos: "*"\n  hide: [{box: [0, 0, 1, 1]}]\n')
    with pytest.raises(ConfigError, match="regions"):
        run(f"data.path={data}", f"regions={regions}")


def test_kept_detections_take_the_place_of_pixels(
    run: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here one folder's: what reads it is tested in test_kept.py. Nothing was run, so nothing was timed."""
    _, before = run(f"data.path={data}")
    kept = cases_of(monkeypatch)
    _, after = run(f"data.path={data}", f"detections={tmp_path}/kept")
    assert kept == [tmp_path / "kept"] and after.pop("speed") is None and before.pop("speed")
    assert after == before
    assert "Speed" not in (tmp_path / "eval" / "report.html").read_text()


def cases_of(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Have the job read kept detections as if they were those of its own run; the folders that it asked for."""
    asked: list[Path] = []

    def kept_cases(truth: Any, folder: Path, config: Any, min_visible: float) -> Any:
        asked.append(folder)
        return replace(job.judged_cases(truth, config, min_visible, Console(file=io.StringIO())), speed=None)

    monkeypatch.setattr(job, "kept_cases", kept_cases)
    return asked


def test_data_is_short_for_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["anonflow evaluate", "data=x/y", "data.format=coco", "output=z"])
    monkeypatch.setattr(job, "launch", lambda *_: 0)
    assert job.main() == 0
    assert sys.argv == ["anonflow evaluate", "data.path=x/y", "data.format=coco", "output=z"]


@pytest.mark.slow
def test_the_command_on_the_sample_video(sample: Path, tmp_path: Path) -> None:
    """With the real models, on Ray: the plate of the demo is found in every frame."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "sample.mp4").write_bytes(sample.read_bytes())
    (folder / "sample.txt").write_text("1,1,600,300,90,90,1,1,1\n")
    code, said = anonflow(
        "evaluate", f"data={folder}", f"output={tmp_path}/out", "detector=faces", "data.labels={1: face}",
        "runtime.object_store_mb=80",
    )  # fmt: skip
    assert code == 0, said
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["detection"]["face"]["objects"] == 1 and metrics["speed"]["frames"] > 50
    code, said = anonflow("evaluate", f"data={folder}", f"output={tmp_path}/out", "detector=plates")
    assert code == 2 and "'1' (1)" in said
