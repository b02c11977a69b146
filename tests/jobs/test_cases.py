"""That cases fit their items is shown by tests/jobs/test_evaluate.py; here, their order and what is left out."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from anonflow.errors import TruthError
from anonflow.evaluate.detection import _gather
from anonflow.evaluate.formats.read import Data, read_ground_truth
from anonflow.evaluate.ground import Annotated, Annotations, Item, ground_truth
from anonflow.evaluate.match import match
from anonflow.evaluate.precision import coco_ap
from anonflow.jobs.cases import judged_cases
from anonflow.pipeline import planned
from tests.evaluate.test_precision import reference
from tests.media import Clip
from tests.pipeline.album.gallery import add
from tests.pipeline.test_planned import in_this_process
from tests.pipeline.worlds import FixedDetector, World, configuration, use_detector
from tests.streams import SHARED


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(planned, "_computed", in_this_process)
    use_detector(monkeypatch, FixedDetector())
    world = World.make(tmp_path)

    def judging(*rows: Annotated) -> Any:
        files = [add(world, "z.jpg"), world.clip("c.mp4", Clip(n_frames=12)), add(world, "a.jpg")]
        lost = world.root / "in" / "lost.jpg"
        lost.write_bytes(b"no picture")
        items = tuple(Item(path, Path("truth.txt")) for path in [*files, lost])
        truth = ground_truth(Annotations("mot", items, rows, ("face",)), ("face",), {}, Path("truth.txt"))
        return judged_cases(truth, world.config, 0.0, Console(file=io.StringIO()))

    return judging


def row(item: int, frame: int = 0) -> Annotated:
    return Annotated(item, (1, 2, 11, 12), "face", f"line {item}", frame=frame)


def test_cases_are_in_the_order_of_their_items(judged: Any) -> None:
    made = judged(row(0), row(1, 3), row(2), row(3))
    assert [case.item.path.name for case in made.cases] == ["z.jpg", "c.mp4", "a.jpg"]
    assert [case.is_video for case in made.cases] == [False, True, False]
    assert [case.scene.truth.frames.tolist() for case in made.cases] == [[0], [3], [0]]
    assert [outcome.reason for outcome in made.failed] == ["not_a_picture"]
    assert made.speed["frames"] == 14 and np.isfinite(made.speed["frames_per_s"])


def test_annotations_that_do_not_fit_are_told_with_their_place(judged: Any) -> None:
    with pytest.raises(TruthError, match=r"truth\.txt, line 1: frame 12"):
        judged(row(1, 12))


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "data/faces-wider").exists(), reason="needs ../shared/data/faces-wider")
def test_averages_of_real_detections_agree_with_faster_coco_eval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the default detector finds in real pictures; ignored faces are crowds, which the library knows."""
    monkeypatch.setattr(planned, "_computed", in_this_process)
    data = Data(SHARED / "data/faces-wider", unlabeled="exclude")
    truth = read_ground_truth(data, ("face",))
    truth = replace(truth, objects=replace(truth.objects, crowd=truth.objects.ignored))
    config = replace(configuration("detector=faces", "detector.face.max_upscale=2"), output=str(tmp_path))
    made = judged_cases(truth, config, 0.0, Console(file=io.StringIO()))
    label = _gather(made.cases, 0)
    assert len(label.found) > 1000 and label.wanted.crowd.sum() > 100
    for per_picture in (100, 10):
        theirs = reference(label.found, label.wanted, len(made.cases), per_picture)[:, 0]
        ours = coco_ap(match(label.found, label.wanted, max_per_picture=per_picture))
        np.testing.assert_allclose(ours, theirs, atol=1e-6, rtol=0)
