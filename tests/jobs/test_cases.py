"""That cases fit their items is shown by tests/jobs/test_evaluate.py; here, their order and what is left out."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from anonflow.errors import TruthError
from anonflow.evaluate.ground import Annotated, Annotations, Item, ground_truth
from anonflow.jobs.cases import judged_cases
from anonflow.pipeline import planned
from tests.media import Clip
from tests.pipeline.album.gallery import add
from tests.pipeline.test_planned import in_this_process
from tests.pipeline.worlds import FixedDetector, World, use_detector


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
