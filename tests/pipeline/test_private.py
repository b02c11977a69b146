"""What is left of a run when it is over: no boxes, no pictures, unless somebody asked for boxes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from anonflow.pipeline.keeping import begin_keeping
from anonflow.tables import read_rows
from anonflow.types import Detections, MaskPlan
from tests.leftovers import files_with_coordinates, files_with_picture
from tests.media import Clip, picture
from tests.pipeline.sealed import finish
from tests.pipeline.worlds import FixedDetector, World, masked, run_all, use_detector

ODD = (11.37, 8.91, 41.73, 40.19)


def boxes_of(world: World) -> list[float]:
    """Every coordinate that the run knew on its way."""
    context, (row,) = world.context(), world.rows()
    masked(row, context)
    found = read_rows(Detections, context.paths.detections(row.video_id, 0)).xyxy
    plan = read_rows(MaskPlan, context.paths.mask_plan(row.video_id)).xyxy
    values = [float(value) for value in (*found[0], *plan[0])]
    assert files_with_coordinates(context.paths.work, values), "the search finds them where they are"
    return values


@pytest.mark.parametrize("keeps", [False, True])
def test_boxes_are_left_only_where_somebody_asked_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, keeps: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    use_detector(monkeypatch, FixedDetector(boxes=(ODD,)))
    world = World.make(tmp_path, f"keep.detections={str(keeps).lower()}", "debug.mask_digests=true")
    world.clip(clip=Clip(n_frames=30))
    begin_keeping(world.config, world.context().paths)
    values = boxes_of(world)
    finish(world, "run1", run_all(world.rows(), world.context()))
    left = files_with_coordinates(world.output, values)
    assert {name.split("/")[2] for name in left} == ({"detections"} if keeps else set())
    assert not any(f"{value:.6f}"[:5] in caplog.text for value in values)


def test_no_picture_is_left_beside_the_results(world: World, detector: FixedDetector) -> None:
    world.clip(clip=Clip(n_frames=30, codec="ffv1", pixel_format="gray"), name="clip.mkv")
    luma = picture(96, 64, 3).astype(float).mean(axis=2).astype("uint8")
    assert files_with_picture(world.root / "in", luma), "the search finds pictures where they are"
    finish(world, "run1", run_all(world.rows(), world.context()))
    assert files_with_picture(world.output, luma) == {"clip.mkv"}
    assert files_with_picture(world.output / "_anonflow", luma) == set()
